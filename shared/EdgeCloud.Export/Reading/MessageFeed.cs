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
/// The first part of a range begins with what was latched by then, on channels marked as repeats and with the range's start as log time;
/// so does each session that is a stretch of another, where it begins. In later parts those messages are known and not written again.
/// Where the plan aligns topics, each part begins so, and messages of the margin around it come along.
/// </remarks>
internal sealed class MessageFeed : IAsyncDisposable
{
    private const int WindowBytesMax = 4 << 20;
    private const int WindowBytesMin = 1 << 20;
    private const int WindowBudget = 64 << 20;
    private const int LatchedPerChannel = 16;

    private static readonly ValueTask<bool> Moved = new(true); // copied whole: see MessageCursor

    private readonly ExportPlan _plan;
    private readonly ExportPart _part;
    private readonly SegmentAccess _access;
    private readonly SegmentMerge _merge;
    private readonly PlannedSession[] _owners; // of the segments of the merge
    private readonly Dictionary<Guid, RecentMessages> _recent;
    private readonly Samplers _samplers;
    private readonly Queue<(FeedChannel Channel, Message Message)> _latched = new();
    private readonly List<string> _problems = [];
    private readonly ulong _from, _to; // of the part's own rows
    private readonly bool _withMargin;
    private (FeedChannel Channel, Message Message)? _held; // the merge is at it; a latched message comes first
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
        _owners = [.. part.Sessions.SelectMany(s => s.Segments.Select(_ => s))];
        _recent = part.Sessions.ToDictionary(s => s.Id, _ => new RecentMessages());
        _samplers = new Samplers(plan.Settings.Sampling);
        _withMargin = plan.Settings.Alignment is not null;
        (_from, _to) = (Unsigned(part.FromNs) ?? 0, Unsigned(part.ToNs) ?? ulong.MaxValue);
        _merge = new SegmentMerge([.. part.Sessions.SelectMany(s => s.Segments.Select(g => (g, WhatToRead(s))))], _access);
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
    public bool IsOwn(ulong logTime) => logTime >= _from && (logTime < _to || _part.ToNs is null);

    /// <summary>Moves to the next message; false after the last. Completes at once unless a segment must be read.</summary>
    /// <exception cref="ExportException">A segment cannot be read, or a filter does not fit a topic's type.</exception>
    public ValueTask<bool> MoveNextAsync(CancellationToken cancellation)
    {
        if (!_started || _latched.Count > 0 || _held is not null)
            return MoveBesideLatchedAsync(cancellation);
        while (true)
        {
            var moved = _merge.MoveNextAsync(cancellation);
            if (!moved.IsCompletedSuccessfully)
                return SearchAsync(moved, cancellation);
            if (!moved.Result)
                return new ValueTask<bool>(false);
            if (Take())
                return Moved;
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

    /// <summary>What is latched comes before the messages of its time; the message that the merge is at waits for it.</summary>
    private async ValueTask<bool> MoveBesideLatchedAsync(CancellationToken cancellation)
    {
        if (!_started)
        {
            _started = true;
            await FindLatchedAsync(cancellation).ConfigureAwait(false);
        }
        if (_held is null && await SearchAsync(_merge.MoveNextAsync(cancellation), cancellation).ConfigureAwait(false))
            _held = (Channel, Message);
        if (_latched.TryPeek(out var latched) && (_held is not { } held || latched.Message.LogTime <= held.Message.LogTime))
            (Channel, Message) = _latched.Dequeue();
        else if (_held is { } next)
            ((Channel, Message), _held) = (next, null);
        else
            return false;
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
        var session = _owners[segment.Index];
        var known = Channels.Of(session, channel, segment.Reader.Schemas);
        return new Route(
            known, _recent[session.Id].Of(channel.Topic), known.IsRepeat ? null : _samplers.Of(session.Id, channel.Topic),
            MessageFilter.Of(_plan.Settings.Filters, known));
    }

    /// <summary>What was latched when the part begins, or a session in it.</summary>
    private async Task FindLatchedAsync(CancellationToken cancellation)
    {
        var at = _withMargin ? PartSplit.Before(_part.FromNs, PartSplit.Margin(_plan.Settings)) : _part.FromNs;
        var found = new List<(FeedChannel Channel, Message Message)>();
        foreach (var session in _part.Sessions)
        {
            if (Later(at, session.FromNs) is not { } from || from <= 0 || (ulong)from >= (WhatToRead(session).EndTime ?? ulong.MaxValue))
                continue;
            var isWritten = _part.Index == 0 || _withMargin || session.FromNs >= _part.FromNs;
            found.AddRange(await FindLatchedAsync(session, from, isWritten, cancellation).ConfigureAwait(false));
        }
        foreach (var latched in found.OrderBy(l => l.Message.LogTime))
            _latched.Enqueue(latched);
    }

    /// <summary>The last segment that starts before a time tells what is latched then, by its repeats and by what came on latched channels until then.</summary>
    private async Task<IReadOnlyList<(FeedChannel Channel, Message Message)>> FindLatchedAsync(
        PlannedSession session, long from, bool isWritten, CancellationToken cancellation)
    {
        var options = new McapReadOptions
        {
            EndTime = (ulong)from,
            Topics = _plan.Selection.Selects,
            Channels = channel => Latched.IsRepeat(channel) || Latched.IsLatched(channel),
        };
        if (session.Segments.Where(s => s.StartNs < from).MaxBy(s => (s.StartNs, s.Sequence)) is not { } segment
            || await _access.OpenAsync(0, segment, options, cancellation).ConfigureAwait(false) is not { } opened)
            return [];
        await using var closing = opened.ConfigureAwait(false);
        var found = new List<(FeedChannel Channel, Message Message)>();
        foreach (var (channel, message) in await LatestAsync(opened).ConfigureAwait(false))
        {
            _recent[session.Id].Of(channel.Topic).Note(message);
            if (!isWritten)
                continue;
            var known = Channels.Of(session, Latched.AsRepeat(channel), opened.Reader.Schemas);
            if (MessageFilter.Of(_plan.Settings.Filters, known)?.Passes(message) != false)
                found.Add((known, message with { LogTime = (ulong)from }));
        }
        return found;
    }

    /// <summary>What is read of a session's segments: the part's time with the margin before it, and what belongs to the session.</summary>
    private McapReadOptions WhatToRead(PlannedSession session)
    {
        var margin = PartSplit.Margin(_plan.Settings);
        var end = _withMargin ? PartSplit.After(_part.ToNs, margin) : _part.ToNs;
        return new McapReadOptions
        {
            StartTime = Unsigned(Later(PartSplit.Before(_part.FromNs, margin), session.FromNs)) ?? 0,
            EndTime = Unsigned(end is null || session.ToNs < end ? session.ToNs : end),
            Topics = _plan.Selection.Selects,
        };
    }

    private static long? Later(long? a, long? b) => a is null || b > a ? b : a;

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
