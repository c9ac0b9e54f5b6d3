using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeCloud.Contracts;

namespace EdgeCloud.Export;

/// <summary>
/// What an export is made of and what is made of it, decided before anything is read. The same plan gives the same data files, byte for
/// byte, with one version of the program, wherever and in whatever order its parts are made.
/// </summary>
public sealed record ExportPlan
{
    /// <summary>Export id; goes into the manifest, not into the data.</summary>
    public required Guid Id { get; init; }
    /// <summary>What is made of the messages.</summary>
    public ExportSettings Settings { get; init; } = new();
    /// <summary>The sessions, in the order in which messages of one time are written.</summary>
    public required IReadOnlyList<PlannedSession> Sessions { get; init; }

    /// <summary>Which topics.</summary>
    internal TopicSelection Selection => Settings.Selection ?? TopicSelection.All;

    /// <summary>Bytes of all segments to read.</summary>
    public long InputBytes() => Sessions.Sum(s => s.Segments.Sum(g => g.Bytes));

    /// <summary>The plan as JSON: snake_case names in a fixed order, nothing optional left out.</summary>
    public byte[] ToJson() => JsonSerializer.SerializeToUtf8Bytes(this, ExportJson.Default.ExportPlan);

    /// <summary>Reads what <see cref="ToJson"/> wrote.</summary>
    /// <exception cref="JsonException">It is no plan.</exception>
    public static ExportPlan FromJson(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, ExportJson.Default.ExportPlan) ?? throw new JsonException("The plan is the JSON word null; an object is expected.");

    /// <summary>
    /// SHA-256 over everything that decides about the data, lower-case hexadecimal: the JSON without the export's id and without where the
    /// segments' bytes lie.
    /// </summary>
    public string Hash()
    {
        var data = this with
        {
            Id = Guid.Empty,
            Sessions = [.. Sessions.Select(s => s with { Segments = [.. s.Segments.Select(g => g with { Key = "", ETag = "" })] })],
        };
        return Convert.ToHexStringLower(SHA256.HashData(data.ToJson()));
    }

    /// <summary>
    /// Which patterns of the settings match no topic of the sessions, or none that is selected, one sentence each: no error, since a recording may
    /// lack a topic, but perhaps a slip.
    /// </summary>
    internal IEnumerable<string> UnmatchedPatterns()
    {
        var topics = Sessions.SelectMany(s => s.Topics).Select(t => t.Topic).Distinct().ToList();
        var selected = topics.Where(Selection.Selects).ToList();
        return Of("selection", [.. Selection.Include, .. Selection.Exclude], topics)
            .Concat(Of("fields", Settings.Fields.Select(f => f.Topic), selected))
            .Concat(Of("filters", Settings.Filters.Select(f => f.Topic), selected))
            .Concat(Of("sampling", Settings.Sampling.Select(s => s.Topic), selected));

        static IEnumerable<string> Of(string setting, IEnumerable<string> patterns, IReadOnlyList<string> topics) => patterns.Distinct()
            .Where(pattern => !topics.Any(topic => TopicSelection.IsMatch(pattern, topic)))
            .Select(pattern => $"No topic matches '{pattern}' ({setting}).");
    }

    /// <summary>The independent parts, in order of time. Depends on the plan alone.</summary>
    public IReadOnlyList<ExportPart> Parts() => PartSplit.Of(this);
}

/// <summary>A session of an export.</summary>
public sealed record PlannedSession
{
    /// <summary>Session id.</summary>
    public required Guid Id { get; init; }
    /// <summary>Robot that recorded it.</summary>
    public required string Robot { get; init; }
    /// <summary>Name for people.</summary>
    public string Name { get; set; } = "";
    /// <summary>First log time that belongs to it, ns; null for a session to which everything in its segments belongs.</summary>
    public long? FromNs { get; init; }
    /// <summary>End of the log times that belong to it, ns, exclusive; null likewise.</summary>
    public long? ToNs { get; init; }
    /// <summary>The segments to read, in order of sequence; those of another session where it is a stretch of that.</summary>
    public required IReadOnlyList<PlannedSegment> Segments { get; init; }
    /// <summary>What the segments hold, by topic and schema. Names the output's files; a topic that is not listed is exported all the same.</summary>
    public IReadOnlyList<PlannedTopic> Topics { get; set; } = [];
    /// <summary>Segments of the range that could not be had, as <c>{session}/{sequence}: {custody}</c>.</summary>
    public IReadOnlyList<string> Missing { get; set; } = [];
    /// <summary>What the session as a whole received, recorded and lost.</summary>
    public IReadOnlyList<LedgerEntry> Ledger { get; set; } = [];

    /// <summary>True when something that belongs to it may lie from <paramref name="fromNs"/> on and before <paramref name="toNs"/>.</summary>
    public bool Overlaps(long? fromNs, long? toNs) =>
        (fromNs is not { } from || ToNs is not { } end || from < end) && (toNs is not { } to || FromNs is not { } begin || begin < to);
}

/// <summary>A topic of a session.</summary>
/// <param name="Topic">Topic name.</param>
/// <param name="Type">Schema name; empty when unknown.</param>
/// <param name="SchemaHash">SHA-256 of the schema's text, lower-case hexadecimal; empty when unknown.</param>
/// <param name="Encoding">Message encoding.</param>
public sealed record PlannedTopic(string Topic, string Type, string SchemaHash, string Encoding)
{
    /// <summary>The topics of several manifests or files, each once, in order of name.</summary>
    public static IReadOnlyList<PlannedTopic> Union(IEnumerable<PlannedTopic> topics) =>
        [.. topics.Distinct().OrderBy(t => t.Topic, StringComparer.Ordinal).ThenBy(t => t.SchemaHash, StringComparer.Ordinal)
            .ThenBy(t => t.Type, StringComparer.Ordinal).ThenBy(t => t.Encoding, StringComparer.Ordinal)];

    /// <summary>The topics of a manifest.</summary>
    public static IEnumerable<PlannedTopic> Of(SegmentManifest manifest) =>
        manifest.Topics.Select(t => new PlannedTopic(t.Topic, t.Type, t.SchemaHash, t.Encoding));
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
    [JsonIgnore]
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

/// <summary>An export that cannot be made; the message names the segment, topic or message at fault.</summary>
public sealed class ExportException(string message, Exception? inner = null) : Exception(message, inner);
