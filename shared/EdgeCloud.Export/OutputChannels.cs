using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Export;

/// <summary>
/// The schemas and channels of the output. Channels of different segments that agree in everything are one channel; of different
/// sessions never, so that an export of several robots keeps them apart (such an export says on each channel which session it is from).
/// </summary>
internal sealed class OutputChannels(McapWriter writer, bool isOfSeveralSessions)
{
    private readonly Dictionary<Schema, ushort> _schemas = [];
    private readonly Dictionary<(Guid Session, Channel Channel), ushort> _channels = [];
    private int _lastSchema;
    private int _lastChannel;

    /// <summary>The output's channel for <paramref name="channel"/> of a segment, written if it is new.</summary>
    /// <exception cref="ExportException">MCAP has no more ids.</exception>
    public ushort Of(PlannedSession session, Channel channel, IReadOnlyDictionary<ushort, Schema> schemas)
    {
        var schema = channel.SchemaId == 0 ? (ushort)0 : Of(schemas[channel.SchemaId]);
        var key = (session.Id, channel with { Id = 0, SchemaId = schema });
        if (_channels.TryGetValue(key, out var known))
            return known;
        var id = Next(ref _lastChannel, "channels");
        var metadata = channel.Metadata;
        if (isOfSeveralSessions)
        {
            metadata = new Dictionary<string, string>(metadata)
            {
                ["edgecloud.robot"] = session.Robot,
                ["edgecloud.session"] = session.Id.ToString("D"),
            };
        }
        writer.Write(new Channel(id, schema, channel.Topic, channel.MessageEncoding, metadata));
        _channels[key] = id;
        return id;
    }

    private ushort Of(Schema schema)
    {
        var key = schema with { Id = 0 };
        if (_schemas.TryGetValue(key, out var known))
            return known;
        var id = Next(ref _lastSchema, "schemas");
        // The reader's bytes are gone when it is closed.
        writer.Write(new Schema(id, schema.Name, schema.Encoding, schema.Data.ToArray()));
        _schemas[key with { Data = schema.Data.ToArray() }] = id;
        return id;
    }

    private static ushort Next(ref int last, string what) => last < ushort.MaxValue
        ? (ushort)++last
        : throw new ExportException($"The export has more than {ushort.MaxValue} {what}, the most that an MCAP file can have; select fewer sessions.");
}
