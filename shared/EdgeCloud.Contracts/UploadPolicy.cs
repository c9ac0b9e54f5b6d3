using System.Text.RegularExpressions;

namespace EdgeCloud.Contracts;

/// <summary>
/// When the segments of a session go up, in one word: <see cref="Now"/>, <see cref="OnDemand"/>, or the name of a network condition that the
/// robot's configuration defines (<c>upload.networks</c>), such as <c>wifi-only</c>. What an operator asks for (<see cref="CommandKind.Fetch"/>)
/// goes up whatever the policy, and before everything else.
/// </summary>
public static partial class UploadPolicy
{
    /// <summary>As soon as they are sealed.</summary>
    public const string Now = "now";

    /// <summary>Only what is asked for.</summary>
    public const string OnDemand = "on-demand";

    /// <summary>As soon as the robot reaches the bucket over a wireless LAN; every agent knows this condition.</summary>
    public const string WifiOnly = "wifi-only";

    /// <summary>The rule of a policy's word, for error messages.</summary>
    public const string Rule = "'now', 'on-demand' or the name of a network condition: 1 to 63 of the characters a-z, 0-9 and '-', not starting with '-'";

    /// <summary>True when <paramref name="policy"/> follows <see cref="Rule"/>; whether a condition of that name exists only the robot knows.</summary>
    public static bool IsValid(string? policy) => policy is not null && Pattern().IsMatch(policy);

    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{0,62}\z")]
    private static partial Regex Pattern();
}
