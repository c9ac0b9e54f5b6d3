namespace EdgeCloud.Mcap;

/// <summary>How the messages of a channel are to be read (op 0x03).</summary>
/// <param name="Id">Unique in the file, never 0.</param>
/// <param name="Name">Such as <c>sensor_msgs/msg/Imu</c>.</param>
/// <param name="Encoding">Such as <c>ros2msg</c>; empty when no schema is available.</param>
/// <param name="Data">The definition, in that encoding.</param>
public sealed record Schema(ushort Id, string Name, string Encoding, ReadOnlyMemory<byte> Data)
{
    /// <summary>True when every field and every byte of the data agree, as the specification asks of two schemas with one id.</summary>
    public bool Equals(Schema? other) =>
        other is not null && Id == other.Id && Name == other.Name && Encoding == other.Encoding
        && Data.Span.SequenceEqual(other.Data.Span);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Id, Name, Encoding, Data.Length);
}

/// <summary>A stream of messages on one topic (op 0x04).</summary>
/// <param name="Id">Unique in the file.</param>
/// <param name="SchemaId">The schema of its messages; 0 when there is none.</param>
/// <param name="Topic">Several channels may share a topic.</param>
/// <param name="MessageEncoding">Such as <c>cdr</c>.</param>
/// <param name="Metadata">Free key-value pairs, in file order.</param>
public sealed record Channel(
    ushort Id, ushort SchemaId, string Topic, string MessageEncoding, IReadOnlyDictionary<string, string> Metadata)
{
    /// <summary>True when every field and every metadata pair agree, as the specification asks of two channels with one id.</summary>
    public bool Equals(Channel? other) =>
        other is not null && Id == other.Id && SchemaId == other.SchemaId && Topic == other.Topic
        && MessageEncoding == other.MessageEncoding && SamePairs(Metadata, other.Metadata);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Id, SchemaId, Topic, MessageEncoding, Metadata.Count);

    private static bool SamePairs(IReadOnlyDictionary<string, string> a, IReadOnlyDictionary<string, string> b)
    {
        if (a.Count != b.Count)
            return false;
        foreach (var (key, value) in a)
        {
            if (!b.TryGetValue(key, out var other) || other != value)
                return false;
        }
        return true;
    }
}

/// <summary>
/// One message (op 0x05). A view: <see cref="Data"/> lies in a buffer of whoever produced the message and is valid until that
/// reader moves on; copy it to keep it.
/// </summary>
/// <param name="ChannelId">Channel it was published on.</param>
/// <param name="Sequence">Counter of the publisher, or of the recorder.</param>
/// <param name="LogTime">When it was recorded, ns since the file's epoch (Unix unless agreed otherwise).</param>
/// <param name="PublishTime">When it was published, ns; equals <see cref="LogTime"/> when unknown.</param>
/// <param name="Data">The payload, in the channel's message encoding.</param>
public readonly record struct Message(
    ushort ChannelId, uint Sequence, ulong LogTime, ulong PublishTime, ReadOnlyMemory<byte> Data);
