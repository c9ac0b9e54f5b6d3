using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Export.Reading;

/// <summary>What becomes of the messages of one channel of one segment.</summary>
internal sealed class Route(FeedChannel channel, RecentMessages.Ring recent, Sampler? sampler, MessageFilter? filter)
{
    public FeedChannel Channel => channel;
    public RecentMessages.Ring Recent => recent;
    public Sampler? Sampler => sampler;
    public MessageFilter? Filter => filter;
}

/// <summary>
/// The messages of a part, in order, as the plan wants them: of the range and the topics, filtered and sampled, repeats of latched
/// messages only where the original is not in the export. Every format reads this.
/// </summary>
/// <remarks>
/// The first part of a range begins with what was latched by then, on channels marked as repeats and with the range's start as log time.
/// In later parts those messages are known and not written again. Where the plan aligns topics, each part begins so, and messages of the
/// margin around it come along.
/// </remarks>
internal sealed class MessageFeed : IAsyncDisposable
{
    private const int WindowBytesMax = 8 << 20;
    private const int WindowBytesMin = 1 << 20;
    private const int WindowBudget = 128 << 20;
    private const int LatchedPerChannel = 16;

    private readonly ExportPlan _plan;
    private readonly ExportPart _part;
    private readonly SegmentAccess _access;
    private readonly SegmentMerge _merge;
    private readonly Dictionary<Guid, PlannedSession> _sessions;
    private readonly Dictionary<Guid, RecentMessages> _recent;
    private readonly Samplers _samplers;
    private readonly Queue<(FeedChannel Channel, Message Message)> _latched = new();
    private readonly List<string> _problems = [];
    private readonly ulong _from, _to; // of the part's own rows
    private readonly bool _withMargin;
    private bool _started;

    public MessageFeed(ExportPlan plan, ExportPart part, Func<PlannedSegment, CancellationToken, ValueTask<IByteSource>> open)
    {
        _plan = plan;
        _part = part;
        var problems = new HashSet<string>(StringComparer.Ordinal);
        Action<string> note = problem =>
        {
            if (problems.Add(problem))
                _problems.Add(problem);
        };
        // Sessions may run side by side, each with a segment open.
        var windowBytes = Math.Clamp(WindowBudget / (2 * Math.Max(1, part.Sessions.Count)), WindowBytesMin, WindowBytesMax);
        _access = new SegmentAccess(open, windowBytes, plan.Settings.AllowIncomplete ? note : null);
        _sessions = part.Sessions.ToDictionary(s => s.Id);
        _recent = part.Sessions.ToDictionary(s => s.Id, _ => new RecentMessages());
        _samplers = new Samplers(plan.Settings.Sampling);
        _withMargin = plan.Settings.Alignment is not null;
        var margin = PartSplit.Margin(plan.Settings);
        (_from, _to) = (Unsigned(part.FromNs) ?? 0, Unsigned(part.ToNs) ?? ulong.MaxValue);
        var everything = new McapReadOptions
        {
            StartTime = Unsigned(PartSplit.Before(part.FromNs, margin)) ?? 0,
            EndTime = Unsigned(_withMargin ? PartSplit.After(part.ToNs, margin) : part.ToNs),
            Topics = plan.Selection.Selects,
        };
        _merge = new SegmentMerge([.. part.Sessions.SelectMany(s => s.Segments)], everything, _access);
    }

    /// <summary>The channels met so far.</summary>
    public FeedChannels Channels { get; } = new();

    /// <summary>The channel of the message that the feed is at.</summary>
    public FeedChannel Channel { get; private set; } = null!;

    /// <summary>The message that the feed is at; its data is valid until the feed moves.</summary>
    public Message Message { get; private set; }

    /// <summary>What could not be read.</summary>
    public IReadOnlyList<string> Problems => _problems;

    /// <summary>Bytes of the segments that are read to their end.</summary>
    public long BytesDone => _merge.BytesDone;

    /// <summary>Whether the message lies in the part's own time and not in the margin around it.</summary>
    public bool IsInside => IsOwn(Message.LogTime);

    /// <summary>Whether a time is the part's own.</summary>
    public bool IsOwn(ulong logTime) => logTime >= _from && logTime < _to;

    /// <summary>Moves to the next message; false after the last. Completes at once unless a segment must be read.</summary>
    /// <exception cref="ExportException">A segment cannot be read, or a filter does not fit a topic's type.</exception>
    public ValueTask<bool> MoveNextAsync(CancellationToken cancellation)
    {
        if (!_started || _latched.Count > 0)
            return StartAsync(cancellation);
        while (true)
        {
            var moved = _merge.MoveNextAsync(cancellation);
            if (!moved.IsCompletedSuccessfully)
                return SearchAsync(moved, cancellation);
            if (!moved.Result)
                return new ValueTask<bool>(false);
            if (Take())
                return new ValueTask<bool>(true);
        }
    }

    /// <summary>
    /// The channels of a session's planned topics that the part met no message of: looked up in the segments that know them, for tables that
    /// have the same columns in every part.
    /// </summary>
    /// <exception cref="ExportException">A segment cannot be read.</exception>
    public async Task<IReadOnlyList<FeedChannel>> FindAbsentAsync(PlannedSession session, CancellationToken cancellation)
    {
        var absent = session.Topics.Where(t => _plan.Selection.Selects(t.Topic)).ToHashSet();
        absent.ExceptWith(Channels.All.Where(c => c.Session.Id == session.Id).Select(c => c.Planned));
        var found = new List<FeedChannel>();
        foreach (var segment in _plan.Sessions.First(s => s.Id == session.Id).Segments)
        {
            if (absent.Count == 0)
                break;
            if (await _access.OpenAsync(0, segment, new McapReadOptions(), cancellation).ConfigureAwait(false) is not { } opened)
                continue;
            await using var closing = opened.ConfigureAwait(false);
            foreach (var channel in opened.Reader.Channels.Values.Where(c => absent.Any(t => t.Topic == c.Topic)))
            {
                var known = Channels.Of(session, channel, opened.Reader.Schemas);
                if (absent.Remove(known.Planned))
                    found.Add(known);
            }
        }
        return found;
    }

    public ValueTask DisposeAsync() => _merge.DisposeAsync();

    private static ulong? Unsigned(long? ns) => ns is { } value ? (ulong)Math.Max(0, value) : null;

    private async ValueTask<bool> StartAsync(CancellationToken cancellation)
    {
        if (!_started)
        {
            _started = true;
            await FindLatchedAsync(cancellation).ConfigureAwait(false);
        }
        if (!_latched.TryDequeue(out var first))
            return await MoveNextAsync(cancellation).ConfigureAwait(false);
        (Channel, Message) = first;
        return true;
    }

    private async ValueTask<bool> SearchAsync(ValueTask<bool> moved, CancellationToken cancellation)
    {
        while (await moved.ConfigureAwait(false))
        {
            if (Take())
                return true;
            moved = _merge.MoveNextAsync(cancellation);
        }
        return false;
    }

    /// <summary>Takes the message that the merge is at, unless it is not wanted.</summary>
    private bool Take()
    {
        var segment = _merge.Current;
        var message = segment.Cursor.Current;
        if (!segment.Routes.TryGetValue(message.ChannelId, out var route))
            segment.Routes[message.ChannelId] = route = RouteOf(segment, segment.Reader.Channels[message.ChannelId]);
        if (route.Channel.IsRepeat && route.Recent.Has(message))
            return false;
        route.Recent.Note(message);
        if (route.Filter?.Passes(message) == false || route.Sampler?.Takes(message.LogTime) == false)
            return false;
        (Channel, Message) = (route.Channel, message);
        return _withMargin || message.LogTime >= _from;
    }

    private Route RouteOf(OpenSegment segment, Channel channel)
    {
        var session = _sessions[segment.Segment.Session];
        var known = Channels.Of(session, channel, segment.Reader.Schemas);
        return new Route(
            known, _recent[session.Id].Of(channel.Topic), known.IsRepeat ? null : _samplers.Of(session.Id, channel.Topic),
            MessageFilter.Of(_plan.Settings.Filters, known));
    }

    /// <summary>
    /// What was latched when the part begins: of each session the last segment that starts before it tells, by its repeats and by what came
    /// on latched channels until then.
    /// </summary>
    private async Task FindLatchedAsync(CancellationToken cancellation)
    {
        var at = _withMargin ? PartSplit.Before(_part.FromNs, PartSplit.Margin(_plan.Settings)) : _part.FromNs;
        if (at is not { } from || from <= 0)
            return;
        var isWritten = _part.Index == 0 || _withMargin;
        var options = new McapReadOptions
        {
            EndTime = (ulong)from,
            Topics = _plan.Selection.Selects,
            Channels = channel => Latched.IsRepeat(channel) || Latched.IsLatched(channel),
        };
        foreach (var session in _part.Sessions)
        {
            if (session.Segments.Where(s => s.StartNs < from).MaxBy(s => (s.StartNs, s.Sequence)) is not { } segment
                || await _access.OpenAsync(0, segment, options, cancellation).ConfigureAwait(false) is not { } opened)
                continue;
            await using var closing = opened.ConfigureAwait(false);
            foreach (var (channel, message) in await LatestAsync(opened).ConfigureAwait(false))
            {
                _recent[session.Id].Of(channel.Topic).Note(message);
                if (!isWritten)
                    continue;
                var known = Channels.Of(session, Latched.AsRepeat(channel), opened.Reader.Schemas);
                if (MessageFilter.Of(_plan.Settings.Filters, known)?.Passes(message) != false)
                    _latched.Enqueue((known, message with { LogTime = (ulong)from }));
            }
        }
    }

    /// <summary>The last messages of each channel that the segment's cursor yields: several, since a topic may have several publishers.</summary>
    private async Task<IEnumerable<(Channel Channel, Message Message)>> LatestAsync(OpenSegment segment)
    {
        var latest = new Dictionary<Channel, Queue<Message>>();
        try
        {
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
        }
        catch (Exception e) when (SegmentAccess.IsDamage(e))
        {
            _access.Refuse(segment.Segment, e);
        }
        return latest.OrderBy(l => l.Key.Topic, StringComparer.Ordinal).SelectMany(l => l.Value.Select(m => (l.Key, m)));
    }
}
