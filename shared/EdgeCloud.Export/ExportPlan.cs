using EdgeCloud.Contracts;

namespace EdgeCloud.Export;

/// <summary>What an export is made of, decided before anything is read: the same plan over the same segments gives the same bytes.</summary>
public sealed record ExportPlan
{
    /// <summary>Export id; goes into the output.</summary>
    public required Guid Id { get; init; }
    /// <summary>The sessions, in the order in which messages of one time are written.</summary>
    public required IReadOnlyList<PlannedSession> Sessions { get; init; }
    /// <summary>Which topics.</summary>
    public TopicSelection Selection { get; init; } = TopicSelection.All;
    /// <summary>First log time, ns since the Unix epoch, inclusive; null means from the start.</summary>
    public long? FromNs { get; init; }
    /// <summary>Last log time, ns since the Unix epoch, exclusive; null means to the end.</summary>
    public long? ToNs { get; init; }

    /// <summary>Bytes of all segments to read.</summary>
    public long InputBytes() => Sessions.Sum(s => s.Segments.Sum(g => g.Bytes));
}

/// <summary>A session of an export.</summary>
public sealed record PlannedSession
{
    /// <summary>Session id.</summary>
    public required Guid Id { get; init; }
    /// <summary>Robot that recorded it.</summary>
    public required string Robot { get; init; }
    /// <summary>Name for people.</summary>
    public string Name { get; init; } = "";
    /// <summary>The segments to read, in order of sequence.</summary>
    public required IReadOnlyList<PlannedSegment> Segments { get; init; }
    /// <summary>Segments of the range that could not be had, as <c>{session}/{sequence}: {custody}</c>.</summary>
    public IReadOnlyList<string> Missing { get; init; } = [];
    /// <summary>What the session as a whole received, recorded and lost.</summary>
    public IReadOnlyList<LedgerEntry> Ledger { get; init; } = [];
}

/// <summary>A segment of an export.</summary>
/// <param name="Session">Session id.</param>
/// <param name="Sequence">Place in the session, from 1.</param>
/// <param name="Key">Where its bytes are: a key in the bucket, or a path.</param>
/// <param name="Bytes">Size.</param>
/// <param name="Sha256">SHA-256, lower-case hexadecimal; empty when unknown.</param>
/// <param name="ETag">ETag, for stores that have one; empty when unknown.</param>
/// <param name="StartNs">Least log time, ns since the Unix epoch; no message that is not a repeat lies before.</param>
/// <param name="EndNs">Greatest log time, ns since the Unix epoch.</param>
public sealed record PlannedSegment(
    Guid Session, int Sequence, string Key, long Bytes, string Sha256, string ETag, long StartNs, long EndNs)
{
    /// <summary><c>{session}/{sequence}</c>, for messages.</summary>
    public string Name => $"{Session:D}/{Sequence}";

    /// <summary>The segment that <paramref name="manifest"/> describes. One without messages stands at the time when it was opened.</summary>
    public static PlannedSegment Of(SegmentManifest manifest) => new(
        manifest.Session, manifest.Sequence, manifest.ObjectKey, manifest.Bytes, manifest.Sha256, manifest.ETag,
        manifest.Messages > 0 ? manifest.LogTimeStartNs : manifest.Clock.WallNs,
        manifest.Messages > 0 ? manifest.LogTimeEndNs : manifest.Clock.WallNs);

    /// <summary>True when a message of it may lie from <paramref name="fromNs"/> on and before <paramref name="toNs"/>.</summary>
    public bool Overlaps(long? fromNs, long? toNs) => (fromNs is null || EndNs >= fromNs) && (toNs is null || StartNs < toNs);

    /// <summary>
    /// Which of a session's segments an export of the range reads: those that overlap it, and the last one that starts before it, whose
    /// latched messages still hold when the range begins.
    /// </summary>
    public static IReadOnlyList<PlannedSegment> InRange(IReadOnlyList<PlannedSegment> segments, long? fromNs, long? toNs)
    {
        var before = fromNs is null ? null : segments.Where(s => s.StartNs < fromNs).MaxBy(s => (s.StartNs, s.Sequence));
        return [.. segments.Where(s => s == before || s.Overlaps(fromNs, toNs)).OrderBy(s => s.Sequence)];
    }
}

/// <summary>An export that cannot be made; the message names the segment.</summary>
public sealed class ExportException(string message, Exception? inner = null) : Exception(message, inner);
