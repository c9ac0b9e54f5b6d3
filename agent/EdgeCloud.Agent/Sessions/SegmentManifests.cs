using System.Security.Cryptography;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>From what the log knows of a segment to its manifest, and from a source's topic to the log's channel.</summary>
internal static class SegmentManifests
{
    /// <summary>Metadata record of a segment that holds its loss ledger as JSON.</summary>
    public const string LedgerMetadata = "edgecloud.ledger";

    /// <summary>Metadata record of a segment that holds, by topic, the nodes that published it, separated by spaces.</summary>
    public const string NodesMetadata = "edgecloud.nodes";

    /// <summary>Metadata record of the first segment after a time in which the agent did not run.</summary>
    public const string GapMetadata = "edgecloud.gap";

    /// <summary>A sealed segment, not chained yet.</summary>
    public static SegmentFile SegmentFileOf(Session session, SealedSegment done, IReadOnlyList<LedgerEntry> ledger, long partBytes) => new()
    {
        Custody = Custody.Sealed,
        PartBytes = partBytes,
        PartMd5s = done.PartMd5s,
        Class = done.Facts.Channels.Where(c => c.Messages > 0).Select(c => TopicClasses.Of(c.Definition)).DefaultIfEmpty(TopicClass.Normal).Min(),
        Manifest = ManifestOf(session.File.Manifest, done, ledger),
    };

    private static SegmentManifest ManifestOf(SessionManifest session, SealedSegment done, IReadOnlyList<LedgerEntry> ledger) => new()
    {
        Robot = session.Robot,
        Session = session.Session,
        Sequence = done.Facts.Sequence,
        ObjectKey = ObjectKeys.Segment(session.ObjectPrefix, done.Facts.Sequence),
        Bytes = done.Bytes,
        Sha256 = done.Sha256,
        ETag = done.ETag,
        LogTimeStartNs = (long)done.Facts.LogTimeStartNs,
        LogTimeEndNs = (long)done.Facts.LogTimeEndNs,
        Messages = done.Facts.Messages,
        Topics = [.. done.Facts.Channels.Where(c => c.Messages > 0).GroupBy(c => c.Definition.Topic, StringComparer.Ordinal).Select(Summarise)],
        Ledger = ledger,
        Clock = new ClockFacts
        {
            WallNs = done.Facts.Clock.WallNs,
            MonotonicNs = done.Facts.Clock.MonotonicNs,
            BootId = done.Facts.Clock.BootId,
        },
        RecoveredCutBytes = done.Facts.CutBytes,
        AgentVersion = AgentVersion.Text,
    };

    /// <summary>Messages in a segment by topic name.</summary>
    public static Dictionary<string, long> RecordedByTopic(SegmentFacts facts) => facts.Channels
        .GroupBy(c => c.Definition.Topic, StringComparer.Ordinal)
        .ToDictionary(g => g.Key, g => g.Sum(c => c.Messages), StringComparer.Ordinal);

    /// <summary>The ledger of a segment of which nothing but its contents is known.</summary>
    public static IReadOnlyList<LedgerEntry> LedgerOf(SegmentFacts facts) =>
        [.. RecordedByTopic(facts).Where(t => t.Value > 0).OrderBy(t => t.Key, StringComparer.Ordinal)
            .Select(t => new LedgerEntry { Topic = t.Key, Received = t.Value, Recorded = t.Value })];

    /// <summary>How the log keeps a source's topic.</summary>
    public static ChannelDefinition ToChannel(this SourceTopic topic) => new()
    {
        Topic = topic.Topic,
        MessageEncoding = topic.MessageEncoding,
        SchemaName = topic.Schema?.Name ?? "",
        SchemaEncoding = topic.Schema?.Encoding ?? "",
        SchemaData = topic.Schema?.Data ?? default,
        Metadata = topic.Metadata,
        Latched = topic.Latched,
        MemoryShare = TopicClasses.MemoryShare(TopicClasses.Of(topic)),
    };

    private static TopicSummary Summarise(IGrouping<string, SegmentChannel> channels)
    {
        var definition = channels.First().Definition;
        return new TopicSummary
        {
            Topic = definition.Topic,
            Type = definition.SchemaName,
            SchemaHash = definition.SchemaData.IsEmpty ? "" : Convert.ToHexStringLower(SHA256.HashData(definition.SchemaData.Span)),
            Encoding = definition.MessageEncoding,
            Messages = channels.Sum(c => c.Messages),
            Bytes = channels.Sum(c => c.Bytes),
            FirstLogTimeNs = (long)channels.Min(c => c.FirstLogTimeNs),
            LastLogTimeNs = (long)channels.Max(c => c.LastLogTimeNs),
        };
    }
}
