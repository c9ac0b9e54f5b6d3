using System.Globalization;

namespace EdgeCloud.Contracts;

/// <summary>
/// Where things lie in the bucket. Hive-style <c>key=value</c> folders, so that DuckDB, Spark and Athena read them:
/// <code>
/// {prefix}/robot={robot}/date={YYYY-MM-DD}/session={id}/{sequence:000000}.mcap
///                                                      /{sequence:000000}.manifest.json   after its segment
///                                                      /session.json                      after everything
/// exports/{export id}/...
/// </code>
/// The date is that of the session's start in UTC. A session's prefix is persisted when it starts and never recomputed.
/// </summary>
public static class ObjectKeys
{
    /// <summary>The folder of a session, ending with a slash. <paramref name="prefix"/> may be empty; slashes at its ends are ignored.</summary>
    public static string SessionPrefix(string prefix, string robot, DateTimeOffset startedAt, Guid session)
    {
        if (!RobotId.IsValid(robot))
            throw new ArgumentException($"'{robot}' is not a robot id: {RobotId.Rule}.", nameof(robot));
        var root = prefix.Trim('/');
        var date = startedAt.UtcDateTime.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
        return $"{(root.Length == 0 ? "" : root + "/")}robot={robot}/date={date}/session={session:D}/";
    }

    /// <summary>All sessions of one robot under <paramref name="prefix"/>: what its S3 key may write.</summary>
    public static string RobotPrefix(string prefix, string robot)
    {
        var root = prefix.Trim('/');
        return $"{(root.Length == 0 ? "" : root + "/")}robot={robot}/";
    }

    /// <summary>The object of a sealed segment.</summary>
    public static string Segment(string sessionPrefix, int sequence) => $"{sessionPrefix}{SegmentName(sequence)}.mcap";

    /// <summary>The object of a segment's manifest, written after the segment.</summary>
    public static string Manifest(string sessionPrefix, int sequence) => $"{sessionPrefix}{SegmentName(sequence)}.manifest.json";

    /// <summary>The object of the session's certificate, written after everything else.</summary>
    public static string Certificate(string sessionPrefix) => $"{sessionPrefix}session.json";

    /// <summary>The folder of an export, ending with a slash.</summary>
    public static string Export(Guid export) => $"exports/{export:D}/";

    /// <summary>A segment's file name without extension, on the robot as in the bucket: six digits or more.</summary>
    public static string SegmentName(int sequence) => sequence.ToString("000000", CultureInfo.InvariantCulture);
}
