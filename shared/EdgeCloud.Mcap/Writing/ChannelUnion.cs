namespace EdgeCloud.Mcap.Writing;

/// <summary>How channels of several files that look alike become one.</summary>
public enum ChannelCoalescing
{
    /// <summary>Channels of the same topic, schema, message encoding and metadata become one.</summary>
    Equal,
    /// <summary>As <see cref="Equal"/>, whatever their metadata; those of the first stay.</summary>
    IgnoreMetadata,
    /// <summary>Every channel of every file stays its own.</summary>
    None,
}

/// <summary>
/// Brings the channels and schemas of several files into one: keeps ids where they are free, gives new ones where they are taken, and
/// writes each definition to the output before its first use.
/// </summary>
/// <param name="writer">The one file.</param>
/// <param name="coalescing">Which channels become one.</param>
public sealed class ChannelUnion(McapWriter writer, ChannelCoalescing coalescing = ChannelCoalescing.Equal)
{
    private readonly Dictionary<(int File, ushort Id), ushort> _channels = [];

    /// <summary>The output's id of a channel, which is written there if it is new.</summary>
    /// <param name="file">Tells the files apart.</param>
    /// <param name="channel">The channel in its file.</param>
    /// <param name="schema">Its schema in its file; null when it has none.</param>
    public ushort IdOf(int file, Channel channel, Schema? schema)
    {
        if (_channels.TryGetValue((file, channel.Id), out var known))
            return known;
        var schemaId = schema is null ? (ushort)0 : SchemaIdOf(schema);
        var id = Find(channel, schemaId) ?? Add(channel, schemaId);
        _channels.Add((file, channel.Id), id);
        return id;
    }

    private ushort? Find(Channel channel, ushort schemaId)
    {
        if (coalescing == ChannelCoalescing.None)
            return null;
        foreach (var other in writer.Channels.Values)
        {
            var metadata = coalescing == ChannelCoalescing.IgnoreMetadata ? other.Metadata : channel.Metadata;
            if (other.Equals(channel with { Id = other.Id, SchemaId = schemaId, Metadata = metadata }))
                return other.Id;
        }
        return null;
    }

    private ushort Add(Channel channel, ushort schemaId)
    {
        if (writer.Channels.ContainsKey(channel.Id))
            return writer.AddChannel(schemaId, channel.Topic, channel.MessageEncoding, channel.Metadata).Id;
        writer.Write(channel with { SchemaId = schemaId });
        return channel.Id;
    }

    private ushort SchemaIdOf(Schema schema)
    {
        foreach (var other in writer.Schemas.Values)
        {
            if (other.Equals(schema with { Id = other.Id }))
                return other.Id;
        }
        if (writer.Schemas.ContainsKey(schema.Id))
            return writer.AddSchema(schema.Name, schema.Encoding, schema.Data).Id;
        writer.Write(schema);
        return schema.Id;
    }
}
