namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>A setting that is missing or cannot work; the message names the key and says what to do. Ends the start with exit code 2.</summary>
public sealed class ConfigurationException(string message) : Exception(message);

/// <summary>Reads settings so that an error names key, value and what is allowed.</summary>
internal static class Settings
{
    /// <summary>A text that has to be there.</summary>
    /// <exception cref="ConfigurationException">It is not.</exception>
    public static string Require(this IConfiguration configuration, string key, string meaning) =>
        configuration[key] is { Length: > 0 } value
            ? value
            : throw new ConfigurationException($"{key} is not set; it is {meaning}.");

    /// <summary>An absolute http or https address; null when it is not set.</summary>
    /// <exception cref="ConfigurationException">It is something else.</exception>
    public static Uri? HttpAddress(this IConfiguration configuration, string key)
    {
        if (configuration[key] is not { Length: > 0 } value)
            return null;
        return Uri.TryCreate(value, UriKind.Absolute, out var address) && address.Scheme is "http" or "https"
            ? address
            : throw new ConfigurationException($"{key} is '{value}'; it must be an address such as https://s3.example.com.");
    }

    /// <summary>A whole number within bounds, or <paramref name="otherwise"/> when it is not set.</summary>
    /// <exception cref="ConfigurationException">It is something else.</exception>
    public static int Number(this IConfiguration configuration, string key, int otherwise, int least, int greatest)
    {
        if (configuration[key] is not { Length: > 0 } value)
            return otherwise;
        return int.TryParse(value, out var number) && number >= least && number <= greatest
            ? number
            : throw new ConfigurationException($"{key} is '{value}'; it must be a number from {least} to {greatest}.");
    }
}
