using EdgeCloud.Agent.Configuration;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Ros2;

namespace EdgeCloud.Agent.Sources.Replay;

/// <summary>
/// Plays an MCAP file in file order, indexed or not, once or for ever. Schemas, channels and payloads pass byte for byte. Since a file can
/// wait, it waits for the recorder rather than let a message be dropped. Repeats of latched messages that an EdgeCloud segment holds are
/// no messages of the robot and are left out.
/// </summary>
internal sealed class ReplaySource(SourceSettings settings, TimeProvider clock) : ISource
{
    /// <summary>In a loop the next pass starts no sooner than this after the one before.</summary>
    private static readonly TimeSpan ShortestPass = TimeSpan.FromSeconds(1);

    private readonly Dictionary<ushort, TopicHandle?> _handles = [];
    private readonly List<string> _latched = [];
    private long _passStart;
    private ulong? _firstLogTime;
    private ulong _rebasedStart;

    public string Name => "replay";

    /// <summary>Messages delivered.</summary>
    public long Delivered { get; private set; }

    public async Task RunAsync(ISourceSink sink, CancellationToken cancellation)
    {
        do
        {
            var before = Delivered;
            await PlayOnceAsync(sink, cancellation);
            if (!settings.Loop)
                return;
            if (Delivered == before)
                throw new SourceException($"{settings.Input} holds no message to play in a loop");
            await RestOfShortestPassAsync(cancellation);
        }
        while (true);
    }

    // A recording of a few milliseconds, or one whose messages all carry the same time, would otherwise play as fast as the machine can.
    private Task RestOfShortestPassAsync(CancellationToken cancellation)
    {
        var rest = ShortestPass - clock.GetElapsedTime(_passStart);
        return rest > TimeSpan.Zero ? Task.Delay(rest, clock, cancellation) : Task.CompletedTask;
    }

    private async Task PlayOnceAsync(ISourceSink sink, CancellationToken cancellation)
    {
        _handles.Clear();
        _latched.Clear();
        _firstLogTime = null;
        try
        {
            var file = new FileStream(settings.Input, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0, useAsync: false);
            await using var reader = new McapStreamReader(file);
            while (await reader.ReadAsync(cancellation) is { } record)
            {
                if (record.Opcode is Opcode.Channel)
                    Appear(record.ToChannel(), reader, sink);
                else if (record.Opcode is Opcode.Message)
                    await DeliverAsync(record.ToMessage(), sink, cancellation);
            }
        }
        catch (McapException e)
        {
            throw new SourceException($"{settings.Input} is broken after {Delivered} messages: {e.Message}", e);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException)
        {
            throw new SourceException($"{settings.Input} cannot be opened: {e.Message}", e);
        }
    }

    private void Appear(Channel channel, McapStreamReader reader, ISourceSink sink)
    {
        if (_handles.ContainsKey(channel.Id))
            return;
        if (channel.Metadata.TryGetValue("edgecloud.repeat", out var repeat) && repeat == "true")
        {
            _handles.Add(channel.Id, null);
            return;
        }
        Schema? schema = null;
        if (channel.SchemaId != 0 && !reader.Schemas.TryGetValue(channel.SchemaId, out schema))
            throw new SourceException($"{settings.Input}: channel {channel.Id} ({channel.Topic}) refers to schema {channel.SchemaId}, which is missing");
        var isLatched = OfferedQos.AreLatching(channel.Metadata.GetValueOrDefault(OfferedQos.MetadataKey)).DefaultIfEmpty().All(latches => latches);
        _handles.Add(channel.Id, sink.TopicAppeared(new SourceTopic
        {
            Topic = channel.Topic,
            MessageEncoding = channel.MessageEncoding,
            Schema = schema is null ? null : new SourceSchema(schema.Name, schema.Encoding, schema.Data),
            Metadata = channel.Metadata,
            Latched = isLatched,
            Publisher = isLatched ? _latched.Count(t => t == channel.Topic) : 0,
        }));
        if (isLatched)
            _latched.Add(channel.Topic);
    }

    private async ValueTask DeliverAsync(Message message, ISourceSink sink, CancellationToken cancellation)
    {
        if (_handles[message.ChannelId] is not { } topic)
            return;
        if (_firstLogTime is null)
        {
            _firstLogTime = message.LogTime;
            _passStart = clock.GetTimestamp();
            _rebasedStart = (ulong)clock.NowNs();
        }
        var sinceFirst = unchecked((long)(message.LogTime - _firstLogTime.Value));
        if (settings.Rate > 0)
        {
            var due = TimeSpan.FromMilliseconds(sinceFirst / settings.Rate / 1e6) - clock.GetElapsedTime(_passStart);
            if (due > TimeSpan.FromMilliseconds(1))
                await Task.Delay(due, clock, cancellation);
        }
        await sink.RoomAsync(message.Data.Length, cancellation);
        sink.Message(topic, TimesOf(message, sinceFirst), message.Data.Span);
        Delivered++;
    }

    private MessageTimes TimesOf(in Message message, long sinceFirst)
    {
        if (settings.Times is ReplayTimes.Original)
            return new MessageTimes(message.LogTime, message.PublishTime, message.Sequence);
        var played = settings.Rate > 0 ? (long)(sinceFirst / settings.Rate) : sinceFirst;
        var logTime = unchecked(_rebasedStart + (ulong)played);
        // The way from publisher to recorder stays as long as it was.
        return new MessageTimes(logTime, unchecked(logTime - (message.LogTime - message.PublishTime)), message.Sequence);
    }
}
