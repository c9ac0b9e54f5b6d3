using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeCloud.Agent.Wal;

/// <summary>File names of segments: the sequence in at least six digits, and what state the file is in.</summary>
public static partial class SegmentName
{
    /// <summary>A segment that is being written, or that a dead process left.</summary>
    public const string Open = ".mcap.open";

    /// <summary>A new version of an open segment while it is being sealed.</summary>
    public const string Rewrite = ".mcap.rewrite";

    /// <summary>A sealed segment.</summary>
    public const string Sealed = ".mcap";

    /// <summary>The name of a segment's file.</summary>
    public static string Of(int sequence, string suffix) => sequence.ToString("000000", CultureInfo.InvariantCulture) + suffix;

    /// <summary>The sequence in a path; null when that is no segment's.</summary>
    public static int? SequenceOf(string path) =>
        Pattern().Match(Path.GetFileName(path)) is { Success: true } match ? int.Parse(match.Groups[1].ValueSpan, CultureInfo.InvariantCulture) : null;

    /// <summary>The suffix in the path of a segment.</summary>
    public static string SuffixOf(string path) => Path.GetFileName(path) is var name ? name[name.IndexOf('.')..] : "";

    /// <summary>The path of the same segment in another state.</summary>
    public static string With(string path, string suffix) => path[..^SuffixOf(path).Length] + suffix;

    [GeneratedRegex(@"^([0-9]{6,9})\.mcap(\.open|\.rewrite)?$", RegexOptions.CultureInvariant)]
    private static partial Regex Pattern();
}
