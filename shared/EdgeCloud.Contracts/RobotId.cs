using System.Text.RegularExpressions;

namespace EdgeCloud.Contracts;

/// <summary>The name of a robot: 1 to 63 of <c>[a-z0-9-]</c>, not starting with a dash. It is its MQTT user, its topic level and its S3 prefix.</summary>
public static partial class RobotId
{
    /// <summary>The rule in words, for error messages.</summary>
    public const string Rule = "1 to 63 of the characters a-z, 0-9 and '-', not starting with '-'";

    /// <summary>True when <paramref name="robot"/> follows <see cref="Rule"/>.</summary>
    public static bool IsValid(string? robot) => robot is not null && Pattern().IsMatch(robot);

    [GeneratedRegex(@"^[a-z0-9][a-z0-9-]{0,62}\z")]
    private static partial Regex Pattern();
}
