using System.Buffers;
using System.Buffers.Binary;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>
/// Makes the excerpt of a segment: an MCAP file with every message up to <see cref="WholeBytesMax"/> whole and the first
/// <see cref="BeginningBytes"/> of each larger one, sorted into chunks by channel. A segment's chunks hold all topics as they came, so
/// that one field of an IMU costs the whole of a camera to read; of an excerpt, it costs the IMU.
/// </summary>
/// <remarks>
/// Beginnings are on channels of their own, whose message encoding is <see cref="BeginningOf"/> followed by the true one; their data is
/// the size of the whole message (8 bytes, little-endian), then its first bytes: enough for headers, sizes and counts of images and point clouds.
/// </remarks>
internal sealed class ExcerptWriter : IDisposable
{
    /// <summary>Messages up to this size are in the excerpt as they are.</summary>
    public const int WholeBytesMax = 16 << 10;
    /// <summary>Bytes of larger ones.</summary>
    public const int BeginningBytes = 1 << 10;
    /// <summary>Starts the message encoding of a channel of beginnings.</summary>
    public const string BeginningOf = "edgecloud.beginning+";
    /// <summary>Bytes before the beginning.</summary>
    public const int SizeBytes = 8;

    private const int ChunkBytes = 1 << 20;
    private const int WaitingBytesMax = 32 << 20;

    private readonly McapWriter _writer;
    private readonly Dictionary<ushort, Waiting> _channels = [];
    private readonly Dictionary<ushort, ushort> _beginnings = [];
    private int _waitingBytes;

    private ExcerptWriter(McapWriter writer) => _writer = writer;

    /// <summary>Reads a segment from start to end and writes its excerpt.</summary>
    /// <exception cref="McapException">The segment is not valid.</exception>
    public static async Task WriteAsync(McapIndexedReader segment, Stream output, CancellationToken cancellation)
    {
        await using var file = new McapWriter(output, new McapWriterOptions { ChunkBytes = int.MaxValue, Library = "edgecloud" }, leaveOpen: true);
        using var excerpt = new ExcerptWriter(file);
        foreach (var schema in segment.Schemas.Values)
            file.Write(schema);
        foreach (var channel in segment.Channels.Values)
            file.Write(channel);
        await using var messages = segment.ReadMessages(new McapReadOptions { Order = MessageOrder.File }).GetAsyncEnumerator(cancellation);
        while (await messages.MoveNextAsync())
            await excerpt.AddAsync(messages.Current, segment.Channels[messages.Current.ChannelId], cancellation);
        foreach (var waiting in excerpt._channels.Values)
            await excerpt.WriteOutAsync(waiting, cancellation);
        await file.FinishAsync(cancellation);
    }

    public void Dispose()
    {
        foreach (var waiting in _channels.Values)
            waiting.Dispose();
    }

    private async ValueTask AddAsync(Message message, Channel channel, CancellationToken cancellation)
    {
        var isWhole = message.Data.Length <= WholeBytesMax;
        var id = isWhole ? channel.Id : BeginningsOf(channel);
        if (!_channels.TryGetValue(id, out var waiting))
            _channels.Add(id, waiting = new Waiting(id));
        var taken = isWhole ? waiting.Add(message) : waiting.AddBeginning(message);
        _waitingBytes += taken;
        if (waiting.Bytes >= ChunkBytes)
            await WriteOutAsync(waiting, cancellation);
        else if (_waitingBytes >= WaitingBytesMax)
            await WriteOutAsync(_channels.Values.MaxBy(w => w.Bytes)!, cancellation);
    }

    private ushort BeginningsOf(Channel channel)
    {
        if (!_beginnings.TryGetValue(channel.Id, out var id))
        {
            id = _writer.AddChannel(channel.SchemaId, channel.Topic, BeginningOf + channel.MessageEncoding, channel.Metadata).Id;
            _beginnings.Add(channel.Id, id);
        }
        return id;
    }

    private async ValueTask WriteOutAsync(Waiting waiting, CancellationToken cancellation)
    {
        _waitingBytes -= waiting.Bytes;
        waiting.WriteTo(_writer);
        await _writer.FlushAsync(cancellation);
    }

    /// <summary>Messages of one channel that wait for their chunk.</summary>
    private sealed class Waiting(ushort channel) : IDisposable
    {
        private readonly List<(uint Sequence, ulong LogTime, ulong PublishTime, int Offset, int Length)> _messages = [];
        private byte[] _data = ArrayPool<byte>.Shared.Rent(4096);

        public int Bytes { get; private set; }

        public int Add(in Message message)
        {
            message.Data.Span.CopyTo(Take(message, message.Data.Length));
            return message.Data.Length;
        }

        public int AddBeginning(in Message message)
        {
            var target = Take(message, SizeBytes + BeginningBytes);
            BinaryPrimitives.WriteInt64LittleEndian(target, message.Data.Length);
            message.Data.Span[..BeginningBytes].CopyTo(target[SizeBytes..]);
            return target.Length;
        }

        public void WriteTo(McapWriter writer)
        {
            foreach (var (sequence, logTime, publishTime, offset, length) in _messages)
                writer.WriteMessage(channel, sequence, logTime, publishTime, _data.AsSpan(offset, length));
            _messages.Clear();
            Bytes = 0;
        }

        public void Dispose() => ArrayPool<byte>.Shared.Return(_data);

        private Span<byte> Take(in Message message, int length)
        {
            if (Bytes + length > _data.Length)
            {
                var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_data.Length * 2, Bytes + length));
                _data.AsSpan(0, Bytes).CopyTo(larger);
                ArrayPool<byte>.Shared.Return(_data);
                _data = larger;
            }
            _messages.Add((message.Sequence, message.LogTime, message.PublishTime, Bytes, length));
            Bytes += length;
            return _data.AsSpan(Bytes - length, length);
        }
    }
}
