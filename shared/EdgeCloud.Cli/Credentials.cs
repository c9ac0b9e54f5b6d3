using System.Text.Json;
using System.Text.Json.Serialization;

namespace EdgeCloud.Cli;

/// <summary>Where the control plane is and the key to it.</summary>
/// <param name="Url">Address without a slash at its end.</param>
/// <param name="Token">API key.</param>
public sealed record Credentials(string Url, string Token)
{
    /// <summary>
    /// The environment's <c>EDGECLOUD_URL</c> and <c>EDGECLOUD_TOKEN</c>, else what <c>edgecloud login</c> kept. A kept key is only ever
    /// sent to the address that it is of.
    /// </summary>
    /// <exception cref="CliException">There are none.</exception>
    public static Credentials Load()
    {
        var url = Environment.GetEnvironmentVariable("EDGECLOUD_URL") is { Length: > 0 } address ? ParseUrl(address) : null;
        var token = Environment.GetEnvironmentVariable("EDGECLOUD_TOKEN") is { Length: > 0 } key ? key : null;
        if (url is not null && token is not null)
            return new Credentials(url, token);
        var kept = ReadFile();
        if (kept is null || (url is not null && url != kept.Url))
            throw new CliException($"Not logged in{(url is null ? "" : $" to {url}")}: run edgecloud login {url ?? "URL"}, or set EDGECLOUD_URL and EDGECLOUD_TOKEN.", ExitCodes.Access);
        return kept with { Token = token ?? kept.Token };
    }

    /// <summary>Keeps them in <see cref="FilePath"/>, readable by this user alone.</summary>
    public void Save()
    {
        Directory.CreateDirectory(Path.GetDirectoryName(FilePath)!);
        var temporary = $"{FilePath}.{Environment.ProcessId}";
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        using (var file = new FileStream(temporary, options))
            JsonSerializer.Serialize(file, this, CredentialsJson.Default.Credentials);
        File.Move(temporary, FilePath, overwrite: true);
    }

    /// <summary><c>edgecloud/credentials.json</c> in <c>XDG_CONFIG_HOME</c>, usually <c>~/.config</c>.</summary>
    public static string FilePath => Path.Combine(
        Environment.GetEnvironmentVariable("XDG_CONFIG_HOME") is { Length: > 0 } configured
            ? configured
            : Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config"),
        "edgecloud", "credentials.json");

    /// <summary>Checks an address and strips the slash at its end.</summary>
    /// <exception cref="CliException">It is no http or https address.</exception>
    public static string ParseUrl(string url) =>
        IsAddress(url)
            ? url.TrimEnd('/')
            : throw new CliException($"'{url}' is no address of a control plane; it looks like http://127.0.0.1:8400.", ExitCodes.Usage);

    private static bool IsAddress(string url) => Uri.TryCreate(url, UriKind.Absolute, out var parsed) && parsed.Scheme is "http" or "https";

    private static Credentials? ReadFile()
    {
        try
        {
            using var file = File.OpenRead(FilePath);
            var kept = JsonSerializer.Deserialize(file, CredentialsJson.Default.Credentials);
            return kept is null || IsAddress(kept.Url) ? kept : throw new InvalidDataException($"'{kept.Url}' is no address");
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        catch (Exception e) when (e is JsonException or InvalidDataException or IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{FilePath} cannot be read ({e.Message}): run edgecloud login URL again.", ExitCodes.Access, e);
        }
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(Credentials))]
internal sealed partial class CredentialsJson : JsonSerializerContext;
