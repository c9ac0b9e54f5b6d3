using EdgeCloud.Mcap;

namespace EdgeCloud.Agent.Wal;

/// <summary>What a channel is: MCAP's Channel and Schema records, and how the log treats it.</summary>
public sealed record ChannelDefinition
{
    /// <summary>Topic name.</summary>
    public required string Topic { get; init; }
    /// <summary>Encoding of the messages, such as <c>cdr</c>.</summary>
    public required string MessageEncoding { get; init; }
    /// <summary>Schema name, such as <c>sensor_msgs/msg/Imu</c>; empty when there is no schema (schema id 0).</summary>
    public string SchemaName { get; init; } = "";
    /// <summary>Encoding of the schema, such as <c>ros2msg</c>.</summary>
    public string SchemaEncoding { get; init; } = "";
    /// <summary>The schema itself.</summary>
    public ReadOnlyMemory<byte> SchemaData { get; init; }
    /// <summary>Channel metadata, such as <c>offered_qos_profiles</c> and <c>topic_type_hash</c>.</summary>
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();
    /// <summary>Messages are refused while more than this share of the log's memory waits for the disk, 0 to 1: who is dropped first.</summary>
    public double MemoryShare { get; init; } = 1;
    /// <summary>True when the latest message is repeated at the start of every later segment.</summary>
    public bool Latched { get; init; }
}

/// <summary>A channel of one log. Made by <see cref="SegmentLog.AddChannel"/>; ids are the same in all segments of the log.</summary>
public sealed class ChannelHandle
{
    internal ChannelHandle(ChannelDefinition definition, ushort id, Schema? schema)
    {
        Definition = definition;
        Id = id;
        Schema = schema;
        MemoryShare = Math.Clamp(definition.MemoryShare, 0, 1);
        Channel = new Channel(id, schema?.Id ?? 0, definition.Topic, definition.MessageEncoding, definition.Metadata);
        if (!definition.Latched) return;
        RepeatId = (ushort)(id + 1);
        var metadata = new Dictionary<string, string>(definition.Metadata) { [SegmentContents.RepeatKey] = "true" };
        RepeatChannel = Channel with { Id = RepeatId, Metadata = metadata };
    }

    /// <summary>What it was added as.</summary>
    public ChannelDefinition Definition { get; }

    /// <summary>Messages accepted since the log was opened.</summary>
    public long Accepted => Volatile.Read(ref AcceptedCount);

    /// <summary>Messages refused because the memory was full of messages that wait for the disk.</summary>
    public long DroppedByQueue => Volatile.Read(ref DroppedByQueueCount);

    /// <summary>Messages refused or given up because the disk took no more writes.</summary>
    public long DroppedByDisk => Volatile.Read(ref DroppedByDiskCount);

    /// <summary>MCAP channel id, from 1.</summary>
    internal ushort Id { get; }

    /// <summary>MCAP channel id of the repeats; 0 when not latched.</summary>
    internal ushort RepeatId { get; }

    /// <summary>See <see cref="ChannelDefinition.MemoryShare"/>.</summary>
    internal double MemoryShare { get; }

    /// <summary>MCAP schema record; null for none.</summary>
    internal Schema? Schema { get; }

    /// <summary>MCAP channel record.</summary>
    internal Channel Channel { get; }

    /// <summary>MCAP channel record of the repeats; null when not latched.</summary>
    internal Channel? RepeatChannel { get; }

    // Written under the log's gate only.
    internal long AcceptedCount;
    internal long DroppedByQueueCount;
    internal long DroppedByDiskCount;
}
