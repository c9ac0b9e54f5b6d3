using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Contracts;
using EdgeCloud.Mcap;

namespace EdgeCloud.Agent.Sessions;

/// <summary>A session with its open log, and the tasks that take its segments into the chain: sealed ones, and what is left of those that could not be.</summary>
internal sealed class LiveSession
{
    private static readonly TimeSpan DiskRetry = TimeSpan.FromSeconds(1);
    private readonly Task _chaining;
    private readonly Task _repairing;
    private readonly SegmentLogOptions _options;
    private readonly SegmentRepair _repair;
    private readonly Alarms _alarms;

    private LiveSession(SessionRecording recording, SegmentLogOptions options, SegmentRepair repair, Alarms alarms)
    {
        Recording = recording;
        _options = options;
        _repair = repair;
        _alarms = alarms;
        _chaining = ChainAsync();
        _repairing = RepairAsync();
    }

    public SessionRecording Recording { get; }

    /// <summary>What the log, or whoever takes its segments into the chain, met and cannot handle; null when all is well.</summary>
    public Exception? Failure => (Recording.Log.Ended.Exception ?? _chaining.Exception ?? _repairing.Exception)?.InnerException;

    /// <param name="session">The session, which is live.</param>
    /// <param name="gate">The recorder's.</param>
    /// <param name="configuration">For the log.</param>
    /// <param name="triggers">Looks at what it records.</param>
    /// <param name="repair">For segments that cannot be sealed.</param>
    /// <param name="alarms">Tell of those.</param>
    /// <param name="gap">The time before a restart in which nothing was recorded; null for none.</param>
    /// <param name="committed">Told what is durable; null when nobody asks.</param>
    public static LiveSession Open(
        Session session, Lock gate, AgentConfiguration configuration, TriggerWatch triggers, SegmentRepair repair, Alarms alarms,
        RecordingGap? gap, Action<Session, DurableCommit>? committed)
    {
        session.Hold();
        var options = OptionsOf(session, configuration) with { Committed = committed is null ? null : commit => committed(session, commit) };
        var first = Math.Max(LastSequenceOnDisk(session.Folder), session.File.Manifest.LastSequence) + 1;
        var recording = new SessionRecording(
            session, gate, end => new SegmentLog(session.Folder, first, options with { EndMetadata = end }), new TopicRules(configuration.Recording.Topics),
            triggers, first - 1, session.File.Unsegmented, gap);
        session.LiveCounts = recording.CountsAfter;
        return new LiveSession(recording, options, repair, alarms);
    }

    /// <summary>
    /// Seals what is open and ends. What no segment accounts for is in the session's file afterwards. After a <see cref="Failure"/> the session is
    /// not complete before the next start has found what is left of it.
    /// </summary>
    public async Task CloseAsync()
    {
        try
        {
            await Recording.Log.DisposeAsync();
            await Task.WhenAll(_chaining, _repairing);
        }
        catch (Exception) when (Failure is not null)
        {
            // Whoever looks after live sessions tells of it.
        }
        while (!IsTaken(Recording.Save))
            await Task.Delay(DiskRetry);
        Recording.Session.LiveCounts = null;
        if (Failure is null)
            Recording.Session.Release();
    }

    /// <summary>The greatest number that a segment of this folder ever had.</summary>
    public static int LastSequenceOnDisk(string folder) => Directory.EnumerateFiles(folder)
        .Select(f => int.TryParse(Path.GetFileName(f).Split('.')[0], out var sequence) ? sequence : 0)
        .DefaultIfEmpty(0).Max();

    /// <summary>How the log of a session behaves.</summary>
    public static SegmentLogOptions OptionsOf(Session session, AgentConfiguration configuration) => new()
    {
        BoundMs = session.File.Manifest.BoundMs ?? configuration.Recording.BoundMs,
        SegmentBytes = configuration.Recording.SegmentBytes,
        SegmentTime = TimeSpan.FromSeconds(configuration.Recording.SegmentSeconds),
        PartBytes = (int)configuration.Upload.PartBytes,
        SinglePutBytes = 2 * configuration.Upload.PartBytes,
        Compression = configuration.Recording.Compression switch
        {
            ChunkCompression.Zstd => McapCompression.Zstd,
            ChunkCompression.Lz4 => McapCompression.Lz4,
            _ => McapCompression.None,
        },
        CompressionThreads = configuration.Recording.CompressionThreads,
        // A replay as fast as the disk takes it waits when there is no room: it need not give up compression.
        CompressionStepsDown = configuration.Source is not { Kind: SourceKind.Replay, Rate: 0 },
        Library = $"edgecloud-agent {AgentVersion.Text}",
        StartMetadata =
        [
            new SegmentMetadata("foxglove", new Dictionary<string, string> { ["deviceName"] = configuration.Robot }),
            new SegmentMetadata("edgecloud", new Dictionary<string, string>
            {
                ["robot"] = configuration.Robot,
                ["session"] = session.Id.ToString("D"),
                ["session_name"] = session.File.Manifest.Name,
                ["agent_version"] = AgentVersion.Text,
            }),
        ],
    };

    private async Task ChainAsync()
    {
        await foreach (var done in Recording.Log.Sealed.ReadAllAsync())
        {
            var segment = SegmentManifests.SegmentFileOf(Recording.Session, done, Recording.LedgerOf(done.Facts), _options.PartBytes);
            while (!IsTaken(() => Recording.Session.AddToChain(segment)))
                await Task.Delay(DiskRetry);
            Recording.Chained(done.Facts.Sequence);
        }
    }

    private async Task RepairAsync()
    {
        await foreach (var givenUp in Recording.Log.Unsealable.ReadAllAsync())
        {
            var (session, sequence) = (Recording.Session, givenUp.Facts.Sequence);
            SegmentFile? left = null;
            while (!IsTaken(() => Take(left ??= _repair.Repair(session, sequence))))
                await Task.Delay(DiskRetry);
            Recording.Chained(sequence);
            _alarms.Raise(
                $"altered.{session.Id}.{sequence}",
                $"segment {sequence} of session {session.Id} could not be sealed with its {givenUp.Facts.Messages} messages, {left!.Manifest.Messages} are left: {givenUp.Reason}");
        }

        void Take(SegmentFile left) => Recording.Session.AddToChain(
            left with { Manifest = left.Manifest with { Ledger = Recording.LedgerOf(left.Manifest) } });
    }

    // A disk that takes no small file either has raised its alarm already; the segment itself is safe, and found at the next start.
    private static bool IsTaken(Action write)
    {
        try
        {
            write();
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
