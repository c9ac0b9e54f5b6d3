using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeCloud.Ros2;

/// <summary>
/// What the publishers of a topic offer, as rosbag2 notes it in a channel's metadata: a YAML list with a profile for each publisher, with RMW's
/// numbers (before bag version 9) or words.
/// </summary>
public static partial class OfferedQos
{
    /// <summary>The key of the metadata.</summary>
    public const string MetadataKey = "offered_qos_profiles";

    // No limit is 2^63 - 1 ns, the greatest duration of DDS (2^31 - 1 s) in older versions, and 0 where nobody said anything.
    private const long EndlessSeconds = int.MaxValue;

    /// <summary>
    /// For each profile, whether the publisher's last message is valid for whoever comes late: transient local, and without an end. That of
    /// <c>/rosout</c> is kept, too, but only for ten seconds: its messages are lines of a log and no state.
    /// </summary>
    public static IEnumerable<bool> AreLatching(string? profiles) => Durability().Matches(profiles ?? "").Select(
        match => match.Groups[1].Value is "1" or "transient_local" && !Ends(profiles!, match));

    private static bool Ends(string profiles, Match durability)
    {
        // The keys of a profile come in one order, so that this one's lifespan is the next, unless it has none.
        var next = Durability().Match(profiles, durability.Index + durability.Length);
        var lifespan = Lifespan().Match(profiles, durability.Index, (next.Success ? next.Index : profiles.Length) - durability.Index);
        return lifespan.Success && Number(lifespan, 1) < EndlessSeconds && Number(lifespan, 1) + Number(lifespan, 2) > 0;
    }

    private static decimal Number(Match match, int group) => decimal.Parse(match.Groups[group].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^[\s-]*durability:\s*(\w+)", RegexOptions.Multiline)]
    private static partial Regex Durability();

    [GeneratedRegex(@"^\s*lifespan:\s*sec:\s*(\d{1,20})\s*nsec:\s*(\d{1,20})", RegexOptions.Multiline)]
    private static partial Regex Lifespan();
}
