using EdgeCloud.Mcap;
using EdgeCloud.Ros2;

namespace EdgeCloud.Export.Reading;

/// <summary>
/// Latched messages (<c>/tf_static</c> and the like) in segments and exports. Every segment repeats the latest ones on channels of their
/// own, marked by metadata, so that it can be opened alone; in an export of many segments a repeat is written only when the original is
/// not in the export.
/// </summary>
internal static class Latched
{
    /// <summary>Channel metadata that marks repeats.</summary>
    public const string RepeatKey = "edgecloud.repeat";

    /// <summary>True for a channel of repeats.</summary>
    public static bool IsRepeat(Channel channel) => channel.Metadata.TryGetValue(RepeatKey, out var value) && value == "true";

    /// <summary>True for a channel whose publisher keeps its last message for late subscribers, by the QoS that the recorder noted.</summary>
    public static bool IsLatched(Channel channel) =>
        OfferedQos.AreLatching(channel.Metadata.GetValueOrDefault(OfferedQos.MetadataKey)).Any(latches => latches);

    /// <summary>The channel of the repeats of <paramref name="channel"/>.</summary>
    public static Channel AsRepeat(Channel channel) => IsRepeat(channel)
        ? channel
        : channel with { Metadata = new Dictionary<string, string>(channel.Metadata) { [RepeatKey] = "true" } };
}

/// <summary>
/// Remembers which messages of one session were written lately, by topic, to tell whether a repeat's original was among them. A repeat is
/// of the latest messages of its topic, so a few per topic suffice.
/// </summary>
internal sealed class RecentMessages
{
    private const int PerTopic = 64;

    private readonly Dictionary<string, Ring> _topics = new(StringComparer.Ordinal);

    /// <summary>The ring of a topic, to be kept by whoever notes every message.</summary>
    public Ring Of(string topic)
    {
        if (!_topics.TryGetValue(topic, out var ring))
            _topics[topic] = ring = new Ring();
        return ring;
    }

    /// <summary>The latest messages of one topic.</summary>
    internal sealed class Ring
    {
        private readonly (ulong PublishTime, uint Sequence, int Length)[] _identities = new (ulong, uint, int)[PerTopic];
        private int _noted;

        public void Note(in Message message) =>
            _identities[_noted++ % PerTopic] = (message.PublishTime, message.Sequence, message.Data.Length);

        public bool Has(in Message message)
        {
            var identity = (message.PublishTime, message.Sequence, message.Data.Length);
            return _identities.AsSpan(0, Math.Min(_noted, PerTopic)).Contains(identity);
        }
    }
}
