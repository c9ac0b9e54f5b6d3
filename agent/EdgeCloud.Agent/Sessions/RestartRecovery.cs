using System.Text.RegularExpressions;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// After a restart, brings every segment on disk into its session's chain: open ones through the log's recovery, sealed ones whose state was
/// not written by reading them, missing and broken ones as quarantined with the reason. <see cref="Survey"/> is quick and comes before
/// recording goes on; <see cref="RunAsync"/> takes its time beside it.
/// </summary>
internal sealed partial class RestartRecovery(AgentConfiguration configuration, SessionBook book, Alarms alarms, ILogger log)
{
    private const string Alarm = "recovery";
    private static readonly TimeSpan DiskRetry = TimeSpan.FromSeconds(1);
    private readonly SegmentRepair _repair = new(configuration, alarms, log);
    private readonly HashSet<Session> _surveyed = [];
    private readonly List<(Session Session, List<int> Sequences)> _work = [];
    private readonly List<string> _report = [];

    /// <summary>What was kept and cut, a line for each segment; complete when <see cref="RunAsync"/> is.</summary>
    public IReadOnlyList<string> Report => _report;

    /// <summary>Finds what there is to do.</summary>
    /// <exception cref="IOException">The disk refuses; the next call goes on where this one ended.</exception>
    public void Survey()
    {
        foreach (var session in book.All)
        {
            if (_surveyed.Contains(session))
                continue;
            using (var recovery = new SegmentRecovery(LiveSession.OptionsOf(session, configuration)))
                recovery.Survey(session.Folder);
            var known = session.Segments.Select(s => s.Sequence).ToHashSet();
            QuarantineForeign(session);
            var last = Math.Max(LiveSession.LastSequenceOnDisk(session.Folder), session.File.Manifest.LastSequence);
            CarryCounts(session, last);
            _surveyed.Add(session);
            var missing = Enumerable.Range(1, last).Where(s => s > session.RunOverThrough && !known.Contains(s)).ToList();
            if (missing.Count == 0)
                continue;
            session.Hold();
            _work.Add((session, missing));
        }
        RemoveLeftovers();
    }

    /// <summary>
    /// Keeps those of a session's counts that are in no segment's ledger: in that of the next one that was sealed they are, in one that recovery seals
    /// they are not.
    /// </summary>
    private static void CarryCounts(Session session, int last)
    {
        var file = session.File;
        if (file.Ended.Count == 0 && (file.Unsegmented.Count == 0 || file.UnsegmentedAfter >= last))
            return;
        var accounted = session.Segments.Select(s => s.Sequence).Concat(SequencesOf(session, ".mcap")).ToHashSet();
        var isAccounted = file.UnsegmentedAfter < session.RunOverThrough || accounted.Contains(file.UnsegmentedAfter + 1);
        var ended = file.Ended.Where(e => e.Sequence > session.RunOverThrough && !accounted.Contains(e.Sequence)).SelectMany(e => e.Ledger);
        session.UpdateQuietly(f => f with
        {
            Unsegmented = LedgerEntry.Sum((isAccounted ? [] : f.Unsegmented).Concat(ended)),
            UnsegmentedAfter = last,
            Ended = [],
        });
    }

    /// <summary>Moves aside what nobody of this agent put into a session's folder.</summary>
    private void QuarantineForeign(Session session)
    {
        foreach (var path in Directory.GetFileSystemEntries(session.Folder))
        {
            if (OwnName().IsMatch(Path.GetFileName(path)))
                continue;
            var place = SessionBook.Quarantine(configuration.DataDir, path);
            LogForeign(path, place);
            alarms.Raise($"foreign.{Path.GetFileName(path)}", $"{path} is no file of this agent; moved to {place}");
        }
    }

    /// <summary>Recovers; sessions are complete only afterwards. While the disk takes nothing, it is tried again.</summary>
    public Task RunAsync(CancellationToken cancellation) => Task.Run(async () =>
    {
        foreach (var (session, sequences) in _work)
        {
            foreach (var sequence in sequences)
            {
                SegmentFile? segment = null;
                while (!IsInChain(session, sequence, ref segment))
                    await Task.Delay(DiskRetry, cancellation);
                _report.Add(InWords(session, segment!));
            }
            session.Release();
        }
    }, cancellation);

    /// <summary>Recovers a segment, unless that was done, and takes it into the chain; false when the disk refuses to write.</summary>
    private bool IsInChain(Session session, int sequence, ref SegmentFile? segment)
    {
        try
        {
            segment ??= _repair.Repair(session, sequence);
            session.AddToChain(segment);
            alarms.Clear(Alarm);
            return true;
        }
        catch (IOException e)
        {
            if (alarms.Raise(Alarm, $"recovery waits for the disk: {e.Message}"))
                LogWaits(session.Id, sequence, e.Message);
            return false;
        }
    }

    private static string InWords(Session session, SegmentFile segment)
    {
        var place = Path.Combine(session.Folder, ObjectKeys.SegmentName(segment.Manifest.Sequence) + ".mcap");
        return segment.Custody is Custody.Quarantined
            ? $"{place}: in quarantine: {segment.Reason}"
            : $"{place}: kept {segment.Manifest.Messages} messages in {segment.Manifest.Bytes} bytes, cut {segment.Manifest.RecoveredCutBytes} bytes";
    }

    /// <summary>Recordings that were to be deleted, or moved aside, when the agent died.</summary>
    private void RemoveLeftovers()
    {
        foreach (var segment in book.All.SelectMany(s => s.Segments).Where(s => s.Custody is Custody.Released or Custody.Discarded))
            File.Delete(segment.MediaPath);
        foreach (var segment in book.All.SelectMany(s => s.Segments).Where(s => s.Custody is Custody.Quarantined && File.Exists(s.MediaPath)))
            SessionBook.Quarantine(configuration.DataDir, segment.MediaPath);
    }

    private static IEnumerable<int> SequencesOf(Session session, string ending) => Directory.EnumerateFiles(session.Folder)
        .Select(f => FileName().Match(Path.GetFileName(f))).Where(m => m.Success && m.Groups[2].Value == ending)
        .Select(m => int.Parse(m.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture));

    [GeneratedRegex(@"^(session\.json|[0-9]{6,9}\.(json|mcap|mcap\.open|mcap\.rewrite))$")]
    private static partial Regex OwnName();

    [LoggerMessage(EventId = 213, Level = LogLevel.Error, Message = "{Path} is no file of this agent; moved to {Place}")]
    private partial void LogForeign(string path, string place);

    [GeneratedRegex(@"^([0-9]{6,9})(\.mcap|\.mcap\.open)$")]
    private static partial Regex FileName();

    [LoggerMessage(EventId = 214, Level = LogLevel.Error, Message = "Recovery of segment {Sequence} of session {Session} waits for the disk: {Error}")]
    private partial void LogWaits(Guid session, int sequence, string error);
}
