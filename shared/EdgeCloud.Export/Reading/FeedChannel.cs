using System.Security.Cryptography;
using EdgeCloud.Mcap;

namespace EdgeCloud.Export.Reading;

/// <summary>A channel of a part: channels of several segments of one session that agree in everything are one.</summary>
internal sealed class FeedChannel(int index, PlannedSession session, Channel channel, FeedSchema? schema)
{
    /// <summary>Place in <see cref="FeedChannels.All"/>.</summary>
    public int Index => index;

    public PlannedSession Session => session;

    public string Topic => channel.Topic;

    public string Encoding => channel.MessageEncoding;

    public IReadOnlyDictionary<string, string> Metadata => channel.Metadata;

    public FeedSchema? Schema => schema;

    /// <summary>The channel as plans name it.</summary>
    public PlannedTopic Planned => new(Topic, Schema?.Name ?? "", Schema?.Hash ?? "", Encoding);

    /// <summary>Whether its messages repeat latched ones.</summary>
    public bool IsRepeat { get; } = Latched.IsRepeat(channel);

    /// <summary>Whether a message holds until the next one comes.</summary>
    public bool IsLatched { get; } = Latched.IsRepeat(channel) || Latched.IsLatched(channel);

    public long Count { get; private set; }

    public ulong FirstNs { get; private set; } = ulong.MaxValue;

    public ulong LastNs { get; private set; }

    /// <summary>Counts a message that is written.</summary>
    public void Note(ulong logTime)
    {
        Count++;
        FirstNs = Math.Min(FirstNs, logTime);
        LastNs = Math.Max(LastNs, logTime);
    }
}

/// <summary>A schema of a part.</summary>
internal sealed class FeedSchema(int index, string name, string encoding, byte[] data)
{
    /// <summary>Place among the part's schemas, in order of first channel.</summary>
    public int Index => index;

    public string Name => name;

    public string Encoding => encoding;

    public byte[] Data => data;

    /// <summary>SHA-256 of its data, as in segment manifests; empty when it has none.</summary>
    public string Hash { get; } = data.Length == 0 ? "" : Convert.ToHexStringLower(SHA256.HashData(data));
}

/// <summary>The channels and schemas that a part met, in order of first message.</summary>
internal sealed class FeedChannels
{
    private readonly Dictionary<Schema, FeedSchema> _schemas = [];
    private readonly Dictionary<(Guid Session, Channel Channel), FeedChannel> _channels = [];
    private readonly List<FeedChannel> _all = [];

    public IReadOnlyList<FeedChannel> All => _all;

    /// <summary>The channel for <paramref name="channel"/> of a segment; new if no other agrees with it.</summary>
    public FeedChannel Of(PlannedSession session, Channel channel, IReadOnlyDictionary<ushort, Schema> schemas)
    {
        var schema = channel.SchemaId != 0 && schemas.TryGetValue(channel.SchemaId, out var found) ? Of(found) : null;
        var key = (session.Id, channel with { Id = 0, SchemaId = (ushort)((schema?.Index ?? -1) + 1) });
        if (_channels.TryGetValue(key, out var known))
            return known;
        var added = new FeedChannel(_all.Count, session, channel, schema);
        _all.Add(added);
        return _channels[key] = added;
    }

    private FeedSchema Of(Schema schema)
    {
        var key = schema with { Id = 0 };
        if (_schemas.TryGetValue(key, out var known))
            return known;
        if (_schemas.Count == ushort.MaxValue)
            throw new ExportException($"The export has more than {ushort.MaxValue} schemas; select fewer sessions or topics.");
        // The reader's bytes are gone when it is closed.
        var data = schema.Data.ToArray();
        return _schemas[key with { Data = data }] = new FeedSchema(_schemas.Count, schema.Name, schema.Encoding, data);
    }
}
