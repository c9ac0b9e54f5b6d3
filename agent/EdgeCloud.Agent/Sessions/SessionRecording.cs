using System.Globalization;
using System.Text.Json;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>What a session made of a message.</summary>
internal enum Offer { NotWanted, Taken, Dropped }

/// <summary>
/// What a live session does with messages: select, count, and append to its log. Methods marked "gate" are called under the recorder's
/// gate; a message costs no allocation there.
/// </summary>
internal sealed class SessionRecording
{
    private const int MaxClockJumps = 1000;
    private readonly Lock _gate;
    private readonly Lock _saving = new();
    private readonly SegmentLog _log;
    private readonly TopicSelection _selection;
    private readonly TopicRules _rules;
    private readonly TriggerWatch _triggers;
    private readonly List<TopicRoute> _routes = [];
    private readonly Dictionary<string, TopicLine> _lines = new(StringComparer.Ordinal);
    private readonly Dictionary<int, IReadOnlyList<LedgerEntry>> _endedLedgers = [];
    private IReadOnlyList<LedgerEntry> _carried;
    private RecordingGap? _gap;
    private int _lastEnded;
    private readonly List<ClockJump> _clockJumps = []; // that the session's file does not have
    private long _clockJumpNs;
    private long _lastLogTimeNs;

    /// <summary>Where messages of one topic of the source go.</summary>
    private sealed class TopicRoute(SourceTopic topic)
    {
        public SourceTopic Topic { get; } = topic;
        /// <summary>Whether the session selects it.</summary>
        public bool IsOn { get; set; }
        public IReadOnlyList<string> Nodes { get; set; } = [];
        /// <summary>Nodes that published, in the order in which they came, with the first and the last segment that may hold what they sent.</summary>
        public List<(string Node, int From, int To)> Publishers { get; } = [];
        public TopicLine Line { get; set; } = null!;
        public ChannelHandle? Channel { get; set; }
        public TopicLimit? Limit { get; set; }
        /// <summary>Conditions that may trigger an event.</summary>
        public TriggerCondition[] Conditions { get; set; } = [];
    }

    /// <param name="session">The session, which is live.</param>
    /// <param name="gate">The recorder's.</param>
    /// <param name="openLog">Opens the session's log, given what to ask for the end of each segment.</param>
    /// <param name="rules">How topics are treated.</param>
    /// <param name="triggers">Looks at what it records.</param>
    /// <param name="lastEnded">The greatest number that a segment of the session ever had.</param>
    /// <param name="carried">Counts from before a restart that are in none of those.</param>
    /// <param name="gap">The time before a restart in which nothing was recorded; null for none.</param>
    public SessionRecording(
        Session session, Lock gate, Func<Func<SegmentFacts, IEnumerable<SegmentMetadata>>, SegmentLog> openLog, TopicRules rules,
        TriggerWatch triggers, int lastEnded, IReadOnlyList<LedgerEntry> carried, RecordingGap? gap)
    {
        _triggers = triggers;
        _gap = gap;
        Session = session;
        _gate = gate;
        _selection = session.File.Manifest.Selection;
        _lastEnded = lastEnded;
        _carried = carried;
        _rules = rules;
        IsPaused = session.State is SessionState.Paused;
        _log = openLog(EndSegment);
    }

    public Session Session { get; }

    public SegmentLog Log => _log;

    /// <summary>Gate.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Log time of the last message that it recorded; 0 when there is none.</summary>
    public long LastLogTimeNs => Volatile.Read(ref _lastLogTimeNs);

    /// <summary>Gate. A topic appeared: a channel is made when the session selects it. Topics come in the order of their handles.</summary>
    public void AddTopic(SourceTopic topic, IReadOnlyList<string> nodes)
    {
        _routes.Add(new TopicRoute(topic));
        SetNodes(new TopicHandle(_routes.Count - 1), nodes);
    }

    /// <summary>Gate. It became known which nodes publish a topic: that may select it, or not. True when it is selected from now on.</summary>
    public bool SetNodes(TopicHandle handle, IReadOnlyList<string> nodes)
    {
        var route = _routes[handle.Index];
        var topic = route.Topic;
        var wasOn = route.IsOn;
        NotePublishers(route, nodes);
        route.Nodes = nodes;
        route.IsOn = _selection.Selects(topic.Topic, topic.Type, nodes);
        if (!route.IsOn || route.Channel is not null)
            return route.IsOn && !wasOn;
        if (!_lines.TryGetValue(topic.Topic, out var line))
            _lines.Add(topic.Topic, line = new TopicLine(topic.Topic));
        var rule = _rules.Of(topic, nodes);
        route.Line = line;
        route.Limit = TopicLimit.Of(rule);
        route.Channel = _log.AddChannel((topic with { Class = rule.Class ?? topic.Class }).ToChannel());
        route.Conditions = _triggers.For(topic);
        line.Channels.Add(route.Channel);
        return true;
    }

    /// <summary>Gate. Counts a message, and appends it unless the session is paused or the disk is guarded.</summary>
    public Offer Take(TopicHandle topic, in MessageTimes times, ReadOnlySpan<byte> payload, bool diskGuarded)
    {
        var route = _routes[topic.Index];
        if (!route.IsOn)
            return Offer.NotWanted;
        var line = route.Line;
        line.Received++;
        if (IsPaused)
        {
            line.Paused++;
            return Offer.NotWanted;
        }
        if (diskGuarded)
        {
            line.DroppedByGuard++;
            return Offer.Dropped;
        }
        foreach (var condition in route.Conditions)
            _triggers.Look(condition, times, payload);
        if (route.Limit is { } limit && limit.Refuses(times.LogTimeNs, payload.Length))
        {
            line.Limited++;
            return Offer.NotWanted;
        }
        if (!_log.TryAppend(route.Channel!, times.Sequence, times.LogTimeNs, times.PublishTimeNs, payload))
            return Offer.Dropped;
        if (times.HasOddStamp)
            line.OddStamps++;
        Volatile.Write(ref _lastLogTimeNs, (long)times.LogTimeNs);
        return Offer.Taken;
    }

    /// <summary>Gate. Makes known what a latched topic said when this session did not record: the next segment repeats it.</summary>
    public void Prime(TopicHandle topic, in MessageTimes times, ReadOnlySpan<byte> payload)
    {
        if (_routes[topic.Index] is { IsOn: true, Channel: { } channel })
            _log.Prime(channel, times.Sequence, times.PublishTimeNs, payload);
    }

    /// <summary>Gate. Counts what the transport lost; while paused nothing was to be recorded, so nothing was lost.</summary>
    public void CountLost(TopicHandle topic, long count)
    {
        if (_routes[topic.Index] is { IsOn: true } route && !IsPaused)
            route.Line.LostTransport += count;
    }

    /// <summary>The last segment of this process that ended; 0 when there is none.</summary>
    public int LastEnded => _log.LastEnded;

    /// <summary>Counts that belong to no segment in the chain, of which <paramref name="lastChained"/> is the last.</summary>
    public IReadOnlyList<LedgerEntry> CountsAfter(int lastChained)
    {
        lock (_gate)
        {
            return LedgerEntry.Sum(_lines.Values.Select(l => l.Unassigned()).Concat(_carried)
                .Concat(_endedLedgers.Where(l => l.Key > lastChained).SelectMany(l => l.Value)));
        }
    }

    /// <summary>Writes down what a crash would lose although it is in no segment: drops and pauses since the last segment ended. One at a time.</summary>
    /// <exception cref="IOException">The disk refuses; the next call writes it.</exception>
    public void Save()
    {
        lock (_saving)
        {
            SaveClockJumps();
            SaveCounts();
        }
    }

    private void SaveClockJumps()
    {
        ClockJump[] jumps;
        lock (_gate)
            jumps = [.. _clockJumps];
        if (jumps.Length == 0)
            return;
        Session.Update(f => f with { Manifest = f.Manifest with { ClockJumps = [.. f.Manifest.ClockJumps.Concat(jumps).TakeLast(MaxClockJumps)] } });
        lock (_gate)
            _clockJumps.RemoveRange(0, jumps.Length);
    }

    private void SaveCounts()
    {
        IReadOnlyList<LedgerEntry> counts;
        IReadOnlyList<EndedLedger> ended;
        int after;
        lock (_gate)
        {
            after = _lastEnded;
            counts = LossesIn(_lines.Values.Select(l => l.Unassigned()).Concat(_carried));
            ended = [.. _endedLedgers.Select(l => new EndedLedger(l.Key, LossesIn(l.Value))).Where(l => l.Ledger.Count > 0)];
        }
        var file = Session.File;
        if (ended.Count + file.Ended.Count > 0 || !counts.SequenceEqual(file.Unsegmented) || counts.Count > 0 && after != file.UnsegmentedAfter)
            Session.UpdateQuietly(f => f with { Unsegmented = counts, UnsegmentedAfter = after, Ended = ended });
    }

    /// <summary>What of a ledger a file's contents do not tell.</summary>
    private static IReadOnlyList<LedgerEntry> LossesIn(IEnumerable<LedgerEntry> ledger) =>
        [.. LedgerEntry.Sum(ledger)
            .Select(e => e with { Recorded = 0, Received = e.DroppedQueue + e.DroppedDisk + e.Paused + e.Limited, OddStamps = 0 })
            .Where(e => e.Received + e.LostTransport > 0)];

    /// <summary>The ledger of an ended segment: as it was counted, or, when recovery made it in this process, from its contents alone.</summary>
    public IReadOnlyList<LedgerEntry> LedgerOf(SegmentFacts facts)
    {
        lock (_gate)
        {
            // Kept until the segment is chained: a session that is described in between must not miss it.
            return _endedLedgers.TryGetValue(facts.Sequence, out var ledger) ? ledger : SegmentManifests.LedgerOf(facts);
        }
    }

    /// <summary>The ledger of a segment of which recovery kept only some messages, or none: the others are lost to the disk.</summary>
    public IReadOnlyList<LedgerEntry> LedgerOf(SegmentManifest left)
    {
        var kept = left.Topics.ToDictionary(t => t.Topic, t => t.Messages, StringComparer.Ordinal);
        lock (_gate)
        {
            return [.. _endedLedgers[left.Sequence].Select(e =>
            {
                var recorded = kept.GetValueOrDefault(e.Topic);
                return e with { Recorded = recorded, DroppedDisk = e.DroppedDisk + e.Recorded - recorded };
            })];
        }
    }

    /// <summary>Forgets ledgers of segments that are in the chain.</summary>
    public void Chained(int sequence)
    {
        lock (_gate)
            _endedLedgers.Remove(sequence);
    }

    /// <summary>Gate. Notes which nodes came and went. The segment after the present one names those that went, too: what they sent may still be
    /// on its way to the disk.</summary>
    private void NotePublishers(TopicRoute route, IReadOnlyList<string> nodes)
    {
        var segment = Math.Max(_log.LastEnded, _lastEnded) + 1;
        for (var i = 0; i < route.Publishers.Count; i++)
        {
            if (route.Publishers[i] is { To: int.MaxValue } present && !nodes.Contains(present.Node))
                route.Publishers[i] = present with { To = segment + 1 };
        }
        foreach (var node in nodes.Except(route.Nodes))
        {
            if (route.Publishers.FindIndex(p => p.Node == node && p.To >= segment) is >= 0 and var back)
                route.Publishers[back] = route.Publishers[back] with { To = int.MaxValue };
            else
                route.Publishers.Add((node, segment, int.MaxValue));
        }
    }

    /// <summary>Gate. By topic, the nodes that published it in a segment that ended. Asked in order of segments, at any time after they ended.</summary>
    private Dictionary<string, string> NodesOf(int segment)
    {
        var nodes = _routes.Where(r => r.Channel is not null)
            .SelectMany(r => r.Publishers.Where(p => p.From <= segment && segment <= p.To).Select(p => (r.Topic.Topic, p.Node)))
            .GroupBy(p => p.Topic, p => p.Node, StringComparer.Ordinal).OrderBy(t => t.Key, StringComparer.Ordinal)
            .ToDictionary(t => t.Key, t => string.Join(' ', t.Distinct().Order(StringComparer.Ordinal)));
        foreach (var route in _routes)
            route.Publishers.RemoveAll(p => p.To <= segment);
        return nodes;
    }

    /// <summary>The wall clock was set: ends the segment, which notes by how much.</summary>
    public Task RotateForClockJumpAsync(ClockJump jump)
    {
        lock (_gate)
        {
            _clockJumpNs += jump.ByNs;
            _clockJumps.Add(jump);
        }
        return _log.RotateAsync(SealReason.ClockJump);
    }

    /// <summary>Asked by the log, in order of segments.</summary>
    private IEnumerable<SegmentMetadata> EndSegment(SegmentFacts facts)
    {
        var recorded = SegmentManifests.RecordedByTopic(facts);
        IReadOnlyList<LedgerEntry> ledger;
        Dictionary<string, string> nodes;
        long jump;
        RecordingGap? before;
        lock (_gate)
        {
            (before, _gap) = (_gap, null);
            var entries = _lines.Values.Select(l => l.Assign(recorded.GetValueOrDefault(l.Topic))).ToList();
            ledger = [.. LedgerEntry.Sum(entries.Concat(_carried)).Where(e => e.Received + e.LostTransport > 0)];
            _carried = [];
            _endedLedgers[facts.Sequence] = ledger;
            _lastEnded = facts.Sequence;
            (jump, _clockJumpNs) = (_clockJumpNs, 0);
            nodes = NodesOf(facts.Sequence);
        }
        var values = new Dictionary<string, string> { ["ledger"] = JsonSerializer.Serialize(ledger, SessionJson.Default.IReadOnlyListLedgerEntry) };
        if (jump != 0)
            values["clock_jump_ns"] = jump.ToString(CultureInfo.InvariantCulture);
        yield return new SegmentMetadata(SegmentManifests.LedgerMetadata, values);
        if (nodes.Count > 0)
            yield return new SegmentMetadata(SegmentManifests.NodesMetadata, nodes);
        if (before is { } gap)
        {
            yield return new SegmentMetadata(SegmentManifests.GapMetadata, new Dictionary<string, string>
            {
                ["from_ns"] = gap.FromNs.ToString(CultureInfo.InvariantCulture),
                ["to_ns"] = gap.ToNs.ToString(CultureInfo.InvariantCulture),
                ["reason"] = gap.Reason,
            });
        }
        yield return BagMetadata.Of(facts);
    }
}
