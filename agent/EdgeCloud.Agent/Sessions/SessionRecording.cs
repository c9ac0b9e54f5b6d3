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
    private readonly Lock _gate;
    private readonly SegmentLog _log;
    private readonly TopicSelection _selection;
    private readonly List<(TopicLine Line, ChannelHandle Channel)?> _routes = [];
    private readonly Dictionary<string, TopicLine> _lines = new(StringComparer.Ordinal);
    private readonly Dictionary<int, IReadOnlyList<LedgerEntry>> _endedLedgers = [];
    private IReadOnlyList<LedgerEntry> _carried;
    private int _lastEnded;

    /// <param name="session">The session, which is live.</param>
    /// <param name="gate">The recorder's.</param>
    /// <param name="openLog">Opens the session's log, given what to ask for the end of each segment.</param>
    /// <param name="carried">Counts from before a restart that are in no segment.</param>
    public SessionRecording(
        Session session, Lock gate, Func<Func<SegmentFacts, IEnumerable<SegmentMetadata>>, SegmentLog> openLog,
        IReadOnlyList<LedgerEntry> carried)
    {
        Session = session;
        _gate = gate;
        _selection = session.File.Manifest.Selection;
        _carried = carried;
        IsPaused = session.State is SessionState.Paused;
        _log = openLog(EndSegment);
    }

    public Session Session { get; }

    public SegmentLog Log => _log;

    /// <summary>Gate.</summary>
    public bool IsPaused { get; set; }

    /// <summary>Gate. A topic appeared: a channel is made when the session selects it. Topics come in the order of their handles.</summary>
    public void AddTopic(SourceTopic topic)
    {
        if (!_selection.Selects(topic.Topic))
        {
            _routes.Add(null);
            return;
        }
        if (!_lines.TryGetValue(topic.Topic, out var line))
            _lines.Add(topic.Topic, line = new TopicLine(topic.Topic));
        var channel = _log.AddChannel(topic.ToChannel());
        line.Channels.Add(channel);
        _routes.Add((line, channel));
    }

    /// <summary>Gate. Counts a message, and appends it unless the session is paused or the disk is guarded.</summary>
    public Offer Take(TopicHandle topic, in MessageTimes times, ReadOnlySpan<byte> payload, bool diskGuarded)
    {
        if (_routes[topic.Index] is not var (line, channel))
            return Offer.NotWanted;
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
        return _log.TryAppend(channel, times.Sequence, times.LogTimeNs, times.PublishTimeNs, payload) ? Offer.Taken : Offer.Dropped;
    }

    /// <summary>Gate. Makes known what a latched topic said when this session did not record: the next segment repeats it.</summary>
    public void Prime(TopicHandle topic, in MessageTimes times, ReadOnlySpan<byte> payload)
    {
        if (_routes[topic.Index] is var (_, channel))
            _log.Prime(channel, times.Sequence, times.PublishTimeNs, payload);
    }

    /// <summary>Gate. Counts what the transport lost; while paused nothing was to be recorded, so nothing was lost.</summary>
    public void CountLost(TopicHandle topic, long count)
    {
        if (_routes[topic.Index] is var (line, _) && !IsPaused)
            line.LostTransport += count;
    }

    /// <summary>Counts that belong to no segment in the chain, of which <paramref name="lastChained"/> is the last.</summary>
    public IReadOnlyList<LedgerEntry> CountsAfter(int lastChained)
    {
        lock (_gate)
        {
            return LedgerEntry.Sum(_lines.Values.Select(l => l.Unassigned()).Concat(_carried)
                .Concat(_endedLedgers.Where(l => l.Key > lastChained).SelectMany(l => l.Value)));
        }
    }

    /// <summary>Writes down what a crash would lose although it is in no segment: drops and pauses since the last segment ended.</summary>
    public void Save()
    {
        IReadOnlyList<LedgerEntry> counts;
        int after;
        lock (_gate)
        {
            after = _lastEnded;
            counts = [.. LedgerEntry.Sum(_lines.Values.Select(l => l.Unassigned()).Concat(_carried))
                .Select(e => e with { Recorded = 0, Received = e.DroppedQueue + e.DroppedDisk + e.Paused })
                .Where(e => e.Received + e.LostTransport > 0)];
        }
        if (!counts.SequenceEqual(Session.File.Unsegmented))
            Session.UpdateQuietly(f => f with { Unsegmented = counts, UnsegmentedAfter = after });
    }

    /// <summary>The ledger of an ended segment: as it was counted, or, when recovery made it in this process, from its contents alone.</summary>
    public IReadOnlyList<LedgerEntry> LedgerOf(SegmentFacts facts)
    {
        lock (_gate)
        {
            // Kept until the segment is chained: a session that is described in between must not miss it.
            return _endedLedgers.TryGetValue(facts.Sequence, out var ledger) ? ledger : SegmentManifests.LedgerOf(facts);
        }
    }

    /// <summary>Forgets ledgers of segments that are in the chain.</summary>
    public void Chained(int sequence)
    {
        lock (_gate)
            _endedLedgers.Remove(sequence);
    }

    /// <summary>Asked by the log, in order of segments.</summary>
    private IEnumerable<SegmentMetadata> EndSegment(SegmentFacts facts)
    {
        var recorded = SegmentManifests.RecordedByTopic(facts);
        IReadOnlyList<LedgerEntry> ledger;
        lock (_gate)
        {
            var entries = _lines.Values.Select(l => l.Assign(recorded.GetValueOrDefault(l.Topic))).ToList();
            ledger = [.. LedgerEntry.Sum(entries.Concat(_carried)).Where(e => e.Received + e.LostTransport > 0)];
            _carried = [];
            _endedLedgers[facts.Sequence] = ledger;
            _lastEnded = facts.Sequence;
        }
        return [new SegmentMetadata(SegmentManifests.LedgerMetadata, new Dictionary<string, string>
        {
            ["ledger"] = JsonSerializer.Serialize(ledger, SessionJson.Default.IReadOnlyListLedgerEntry),
        })];
    }
}
