using EdgeCloud.Agent.Configuration;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Sessions;

/// <summary>The file system that holds the recordings, bytes.</summary>
internal readonly record struct DiskSpace(long Free, long Total);

/// <summary>
/// Keeps the robot's disk from filling up: a minimum stays free, and recordings take at most their share. Acknowledged segments go first: at
/// once, or, when they are kept, oldest first as space is needed, pinned ones last. Then ring sessions lose their oldest segments, with an alarm.
/// When there is nothing left to free, recording stops, is counted as dropped and raises an alarm, until there is space again. Sessions of which
/// nothing is left to do are forgotten.
/// Whoever filled the disk, recording goes on when space returns.
/// </summary>
internal sealed partial class DiskGuard(
    DiskSettings settings, string dataDir, SessionBook book, Recorder recorder, Alarms alarms, Func<DiskSpace> space, TimeProvider clock,
    ILogger log) : IDisposable
{
    private const string Alarm = "disk", RingAlarm = "disk.ring", RefusalAlarm = "disk.state";
    // Enough that one segment more does not stop recording again at once.
    private const long Margin = 64 << 20;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1), RingAlarmLasts = TimeSpan.FromMinutes(10);
    private readonly Signal _wake = new();
    private DateTimeOffset _ringGaveUpAt;
    private long _ringGaveUp;
    private string? _refusal;

    /// <summary>A guard of the disk that holds <paramref name="dataDir"/>.</summary>
    public static DiskGuard Of(
        DiskSettings settings, string dataDir, SessionBook book, Recorder recorder, Alarms alarms, TimeProvider clock, ILogger log)
    {
        var drive = new DriveInfo(dataDir);
        return new DiskGuard(
            settings, dataDir, book, recorder, alarms, () => new DiskSpace(drive.AvailableFreeSpace, drive.TotalSize), clock, log);
    }

    /// <summary>Works until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        book.SegmentChanged += _ => _wake.Set();
        while (true)
        {
            Check();
            await _wake.WaitAsync(Interval, cancellation);
        }
    }

    /// <summary>Frees and guards once. What the disk refuses is tried at the next time.</summary>
    public void Check()
    {
        _refusal = null;
        foreach (var (segment, _) in Retention.Plan(book.All, settings, missingBytes: 0, clock.GetUtcNow()))
            Try(() => segment.TryRelease());
        foreach (var session in book.All)
            Try(() => Ring.RunOver(session));
        Try(book.ForgetSpent);
        var shortage = Shortage();
        foreach (var segment in shortage is null ? [] : Acknowledged())
        {
            Try(() => segment.TryRelease());
            shortage = Shortage();
            if (shortage is null)
                break;
        }
        while (shortage is not null)
        {
            Segment? given = null;
            Try(() => given = Ring.GiveUpOldest(book, $"disk: {shortage}"));
            if (given is null)
                break;
            _ringGaveUp++;
            _ringGaveUpAt = clock.GetUtcNow();
            LogRingGaveUp(given.Session.Id, given.Sequence, shortage);
            shortage = Shortage();
        }
        TellOfRing();
        TellOfRefusal();
        Guard(shortage);
    }

    public void Dispose() => _wake.Dispose();

    /// <summary>What is wrong with the space on the disk, in words for people; null when there is enough.</summary>
    private string? Shortage()
    {
        var now = space();
        var margin = recorder.DiskGuarded ? Margin : 0;
        if (now.Free < settings.MinimumFreeBytes + margin)
            return $"{now.Free >> 20} MiB are free for {dataDir}, less than disk.minimum_free_bytes ({settings.MinimumFreeBytes >> 20} MiB)";
        if (settings.MaximumShare >= 1)
            return null;
        var used = book.All.SelectMany(s => s.Segments).Where(s => s.HasMedia).Sum(s => s.State.Bytes);
        var most = (long)(settings.MaximumShare * now.Total);
        return used + margin <= most ? null
            : $"recordings take {used >> 20} MiB in {dataDir}, more than disk.maximum_share ({settings.MaximumShare:0.##} of {now.Total >> 20} MiB)";
    }

    private void Try(Action free)
    {
        try
        {
            free();
        }
        catch (IOException e)
        {
            _refusal = e.Message;
        }
    }

    private void TellOfRefusal()
    {
        if (_refusal is null)
            alarms.Clear(RefusalAlarm);
        else if (alarms.Raise(RefusalAlarm, $"what was freed cannot be written down in {dataDir}: {_refusal}"))
            LogRefused(_refusal);
    }

    private void TellOfRing()
    {
        if (_ringGaveUp > 0 && clock.GetUtcNow() - _ringGaveUpAt < RingAlarmLasts)
            alarms.Raise(RingAlarm, $"the disk is short: ring sessions gave up {_ringGaveUp} segments before their time");
        else if (alarms.Clear(RingAlarm))
            _ringGaveUp = 0;
    }

    private void Guard(string? shortage)
    {
        if (shortage is not null == recorder.DiskGuarded)
            return;
        recorder.DiskGuarded = shortage is not null;
        if (shortage is not null)
        {
            LogStopped(shortage);
            alarms.Raise(Alarm, $"recording stopped: {shortage}");
        }
        else
        {
            LogGoesOn(space().Free >> 20, dataDir);
            alarms.Clear(Alarm);
        }
    }

    private List<Segment> Acknowledged() =>
        [.. book.All.SelectMany(s => s.Segments).Where(s => s.Custody is Custody.Acknowledged)
            .OrderBy(s => s.Session.PinsOn(s) > 0).ThenBy(s => s.State.LogTimeStartNs)];

    [LoggerMessage(EventId = 221, Level = LogLevel.Error, Message = "{Shortage}: recording stops and is counted as dropped")]
    private partial void LogStopped(string shortage);

    [LoggerMessage(EventId = 222, Level = LogLevel.Warning, Message = "{FreeMiB} MiB are free for {Folder}: recording goes on")]
    private partial void LogGoesOn(long freeMiB, string folder);

    [LoggerMessage(EventId = 224, Level = LogLevel.Error, Message = "What was freed cannot be written down: {Error}; it is tried again")]
    private partial void LogRefused(string error);

    [LoggerMessage(EventId = 223, Level = LogLevel.Warning, Message = "Session {Session} gave up segment {Sequence} before its time: {Shortage}")]
    private partial void LogRingGaveUp(Guid session, int sequence, string shortage);
}
