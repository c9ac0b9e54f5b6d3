using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>What one segment holds of one topic.</summary>
/// <param name="Topic">Topic name.</param>
/// <param name="Type">Schema name; empty when unknown.</param>
/// <param name="Encoding">Encoding of its messages, such as <c>cdr</c>.</param>
/// <param name="Messages">Messages, repeats excluded.</param>
/// <param name="Bytes">Payload bytes, repeats excluded.</param>
/// <param name="FirstNs">Log time of the first, ns since the Unix epoch.</param>
/// <param name="LastNs">Log time of the last.</param>
public readonly record struct TopicPart(string Topic, string Type, string Encoding, long Messages, long Bytes, long FirstNs, long LastNs)
{
    /// <summary>What of it lies in a time that it overlaps, in proportion.</summary>
    public TopicPart Within(long fromNs, long toNs)
    {
        if (FirstNs >= fromNs && LastNs < toNs)
            return this;
        var (first, last) = (Math.Max(FirstNs, fromNs), Math.Min(LastNs, toNs - 1));
        var share = (double)(last - first) / (LastNs - FirstNs);
        return this with { Messages = (long)Math.Round(Messages * share), Bytes = (long)Math.Round(Bytes * share), FirstNs = first, LastNs = last };
    }
}

/// <summary>What one segment lost of one topic.</summary>
public readonly record struct TopicLoss(string Topic, long Queue, long Disk, long Transport)
{
    /// <summary>Messages.</summary>
    public long Count => Queue + Disk + Transport;

    /// <summary>The causes in words.</summary>
    public string Cause => string.Join(", ", Causes());

    /// <summary>The sum with another's.</summary>
    public TopicLoss Plus(TopicLoss other) => this with { Queue = Queue + other.Queue, Disk = Disk + other.Disk, Transport = Transport + other.Transport };

    private IEnumerable<string> Causes()
    {
        if (Queue > 0)
            yield return "the write-ahead log could not keep up";
        if (Disk > 0)
            yield return "the disk was full or refused";
        if (Transport > 0)
            yield return "lost in transport";
    }
}

/// <summary>A segment with what it holds and lost, by topic.</summary>
public sealed record SegmentPart(
    SegmentSpan Span, long Bytes, string Reason, string Sha256, string? PreviousSha256, IReadOnlyList<TopicPart> Topics, IReadOnlyList<TopicLoss> Losses)
{
    /// <summary>What of it belongs to a time, messages in proportion. The file is one, and its losses are known only as a whole.</summary>
    public SegmentPart Within(long fromNs, long toNs) => this with
    {
        Span = Span.FromNs == 0 ? Span : Span with { FromNs = Math.Max(Span.FromNs, fromNs), ToNs = Math.Min(Span.ToNs, toNs - 1) },
        Topics = [.. Topics.Where(t => t.LastNs >= fromNs && t.FirstNs < toNs).Select(t => t.Within(fromNs, toNs)).Where(t => t.Messages > 0)],
    };
}

/// <summary>
/// All segments of a session, as far as timelines need them. A page keeps this while it is open: reading again reads only the segments
/// that changed, so that another zoom or a new segment costs little however long the session is. Not thread-safe.
/// </summary>
public sealed class SessionParts
{
    // A transaction may commit a moment after the time that it wrote into its rows.
    private static readonly TimeSpan Overlap = TimeSpan.FromSeconds(15);
    private readonly SortedDictionary<int, SegmentPart> _segments = [];
    private readonly Dictionary<string, string> _names = new(StringComparer.Ordinal);
    private DateTimeOffset _latest;
    private (long?, long?) _times;

    /// <summary>The segments, in order.</summary>
    public IReadOnlyCollection<SegmentPart> Segments => _segments.Values;

    /// <summary>What they hold, by topic, in order of topic name.</summary>
    public IReadOnlyList<TopicSummary> Topics() =>
        [.. Segments.SelectMany(s => s.Topics).GroupBy(t => t.Topic, StringComparer.Ordinal).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new TopicSummary
            {
                Topic = g.Key,
                Type = g.Last().Type,
                Encoding = g.Last().Encoding,
                Messages = g.Sum(t => t.Messages),
                Bytes = g.Sum(t => t.Bytes),
                FirstLogTimeNs = g.Min(t => t.FirstNs),
                LastLogTimeNs = g.Max(t => t.LastNs),
            })];

    /// <summary>
    /// Whether each segment names the hash of the one before it: the first that does not, 0 when all do. Segments that are not announced
    /// yet, and files that could not be read, break nothing.
    /// </summary>
    public int ChainBreak()
    {
        foreach (var segment in Segments)
        {
            if (_segments.TryGetValue(segment.Span.Sequence - 1, out var before)
                && before.Sha256.Length > 0 && segment.PreviousSha256 is { Length: > 0 } named && named != before.Sha256)
            {
                return segment.Span.Sequence;
            }
        }
        return 0;
    }

    /// <summary>True when all of these segments are known.</summary>
    public bool Has(IEnumerable<int> sequences) => sequences.All(_segments.ContainsKey);

    /// <summary>Takes over what is new.</summary>
    public async Task ReadAsync(CatalogueDb db, SessionSource source, CancellationToken cancellation)
    {
        if (_times != (source.FromNs, source.ToNs))
        {
            // Another trigger made the event longer, or its parent is known by now.
            _segments.Clear();
            (_times, _latest) = ((source.FromNs, source.ToNs), default);
        }
        var since = _latest == default ? default : _latest - Overlap;
        var changed = source.Segments(db).AsNoTracking()
            .Where(s => s.UpdatedAt >= since)
            .Select(s => new { s.Sequence, s.LogTimeStartNs, s.LogTimeEndNs, s.Custody, s.Lost, s.Bytes, s.Reason, s.UpdatedAt, s.Manifest })
            .AsAsyncEnumerable();
        await foreach (var row in changed.WithCancellation(cancellation))
        {
            var part = new SegmentPart(
                new SegmentSpan(row.Sequence, row.LogTimeStartNs, row.LogTimeEndNs, row.Custody, row.Lost),
                row.Bytes,
                row.Reason,
                row.Manifest.Sha256,
                row.Manifest.PreviousSha256,
                [.. row.Manifest.Topics.Where(t => t.Messages > 0)
                    .Select(t => new TopicPart(Same(t.Topic), Same(t.Type), Same(t.Encoding), t.Messages, t.Bytes, t.FirstLogTimeNs, t.LastLogTimeNs))],
                [.. row.Manifest.Ledger.Where(e => e.Lost() > 0)
                    .Select(e => new TopicLoss(Same(e.Topic), e.DroppedQueue, e.DroppedDisk, e.LostTransport))]);
            Put(source is { FromNs: { } from, ToNs: { } to } ? part.Within(from, to) : part);
            if (row.UpdatedAt > _latest)
                _latest = row.UpdatedAt;
        }
    }

    /// <summary>Takes over one segment.</summary>
    internal void Put(SegmentPart segment) => _segments[segment.Span.Sequence] = segment;

    // The names in thousands of manifests are the same few.
    private string Same(string name)
    {
        if (_names.TryGetValue(name, out var known))
            return known;
        _names.Add(name, name);
        return name;
    }
}
