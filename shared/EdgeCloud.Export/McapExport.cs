using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Export;

/// <summary>
/// The format <c>mcap</c>: one merged, indexed file. Every message of the range keeps its topic, log time, publish time, sequence,
/// payload, schema and channel metadata. Repeats of latched messages are left out, except those whose original is not in the export:
/// they stay on channels marked <c>edgecloud.repeat=true</c>, with a log time not before the range. The metadata record
/// <c>edgecloud.export</c> says what the file was made of and what it lacks.
/// </summary>
public sealed class McapExport
{
    private const int WindowBytesMax = 8 << 20;
    private const int WindowBytesMin = 1 << 20;
    private const int WindowBudget = 128 << 20;
    private const int MessagesBetweenReports = 4096;
    private const int LatchedPerChannel = 16;

    private readonly ExportPlan _plan;
    private readonly Func<PlannedSegment, CancellationToken, ValueTask<IByteSource>> _open;
    private readonly McapReadOptions _everything;
    private readonly IReadOnlyList<PlannedSegment> _segments;
    private readonly Dictionary<Guid, PlannedSession> _sessions;
    private readonly Dictionary<Guid, RecentMessages> _recent;
    private readonly int _windowBytes;
    private long _messages;

    /// <summary>An export that reads nothing yet.</summary>
    /// <param name="plan">What to export.</param>
    /// <param name="open">Opens the bytes of a segment; the export disposes them.</param>
    public McapExport(ExportPlan plan, Func<PlannedSegment, CancellationToken, ValueTask<IByteSource>> open)
    {
        _plan = plan;
        _open = open;
        _segments = [.. plan.Sessions.SelectMany(s => s.Segments)];
        _sessions = plan.Sessions.ToDictionary(s => s.Id);
        _recent = plan.Sessions.ToDictionary(s => s.Id, _ => new RecentMessages());
        _everything = new McapReadOptions
        {
            StartTime = (ulong)Math.Max(0, plan.FromNs ?? 0),
            EndTime = plan.ToNs is { } to ? (ulong)Math.Max(0, to) : null,
            Topics = plan.Selection.Selects,
        };
        // Sessions may run side by side, each with a segment open.
        _windowBytes = Math.Clamp(WindowBudget / (2 * Math.Max(1, plan.Sessions.Count)), WindowBytesMin, WindowBytesMax);
    }

    /// <summary>Writes the file to <paramref name="output"/>, which need not seek and stays open.</summary>
    /// <returns>The final figures.</returns>
    /// <exception cref="ExportException">A segment cannot be read.</exception>
    public async Task<ExportProgress> WriteAsync(Stream output, IProgress<ExportProgress>? progress, CancellationToken cancellation)
    {
        var counted = new CountingStream(output);
        // Not disposed when it fails, since that would add the summary: a file that is not whole must not look whole.
        var writer = new McapWriter(
            counted, new McapWriterOptions { Profile = "ros2", Library = "EdgeCloud", ChunkBytes = 4 << 20 }, leaveOpen: true);
        await WriteAsync(writer, counted, progress, cancellation).ConfigureAwait(false);
        await writer.DisposeAsync().ConfigureAwait(false);
        return new ExportProgress(_plan.InputBytes(), _messages, counted.Written);
    }

    private async Task WriteAsync(McapWriter writer, CountingStream output, IProgress<ExportProgress>? progress, CancellationToken cancellation)
    {
        writer.Write(ExportRecord.Of(_plan));
        var channels = new OutputChannels(writer, _plan.Sessions.Count > 1);
        await WriteLatchedBeforeRangeAsync(writer, channels, cancellation).ConfigureAwait(false);
        await using var merge = new SegmentMerge(_segments, _everything, _open, _windowBytes);
        for (var sinceReport = 0; await merge.MoveNextAsync(cancellation).ConfigureAwait(false); sinceReport++)
        {
            var segment = merge.Current;
            var routes = segment.Routes ??= new Routes(segment, _sessions[segment.Segment.Session], channels, _recent[segment.Segment.Session]);
            var message = segment.Cursor.Current;
            if (routes.Take(message) is { } channel)
            {
                await writer.WriteMessageAsync(
                    channel.Id, message.Sequence, message.LogTime, message.PublishTime, message.Data.Span, cancellation).ConfigureAwait(false);
                if (!channel.IsRepeat)
                    _messages++;
            }
            if (sinceReport >= MessagesBetweenReports)
            {
                sinceReport = 0;
                progress?.Report(new ExportProgress(merge.BytesDone, _messages, output.Written));
            }
        }
        await writer.FinishAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>
    /// What was latched when the range begins: of each session the last segment that starts before it tells, by its repeats and by what
    /// came on latched channels until then.
    /// </summary>
    private async Task WriteLatchedBeforeRangeAsync(McapWriter writer, OutputChannels channels, CancellationToken cancellation)
    {
        if (_plan.FromNs is not { } from || from <= 0)
            return;
        var options = new McapReadOptions
        {
            EndTime = (ulong)from,
            Topics = _plan.Selection.Selects,
            Channels = channel => Latched.IsRepeat(channel) || Latched.IsLatched(channel),
        };
        foreach (var session in _plan.Sessions)
        {
            if (session.Segments.Where(s => s.StartNs < from).MaxBy(s => (s.StartNs, s.Sequence)) is not { } segment)
                continue;
            await using var opened = await SegmentMerge.OpenAsync(0, segment, options, _open, _windowBytes, cancellation).ConfigureAwait(false);
            foreach (var (channel, message) in await LatestAsync(opened).ConfigureAwait(false))
            {
                var id = channels.Of(session, Latched.AsRepeat(channel), opened.Reader.Schemas);
                await writer.WriteMessageAsync(id, message.Sequence, (ulong)from, message.PublishTime, message.Data.Span, cancellation).ConfigureAwait(false);
                _recent[session.Id].Of(channel.Topic).Note(message);
            }
        }
    }

    /// <summary>The last messages of each channel that the segment's cursor yields: several, since a topic may have several publishers.</summary>
    private static async Task<IEnumerable<(Channel Channel, Message Message)>> LatestAsync(OpenSegment segment)
    {
        var latest = new Dictionary<Channel, Queue<Message>>();
        while (await segment.Cursor.MoveNextAsync().ConfigureAwait(false))
        {
            var message = segment.Cursor.Current;
            var channel = Latched.AsRepeat(segment.Reader.Channels[message.ChannelId]) with { Id = 0 };
            if (!latest.TryGetValue(channel, out var messages))
                latest[channel] = messages = new Queue<Message>();
            if (messages.Count == LatchedPerChannel)
                messages.Dequeue();
            messages.Enqueue(message with { Data = message.Data.ToArray() });
        }
        return latest.OrderBy(l => l.Key.Topic, StringComparer.Ordinal).SelectMany(l => l.Value.Select(m => (l.Key, m)));
    }
}
