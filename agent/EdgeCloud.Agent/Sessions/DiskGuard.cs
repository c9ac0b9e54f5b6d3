using EdgeCloud.Agent.Configuration;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// Keeps the robot's disk from filling up. Acknowledged segments go first: at once, or, when they are kept, oldest first as space is needed.
/// Below the minimum with nothing to free, recording stops, is counted as dropped and raises an alarm, until there is space again.
/// </summary>
internal sealed partial class DiskGuard(
    DiskSettings settings, string dataDir, SessionBook book, Recorder recorder, Alarms alarms, Func<long> freeBytes, ILogger log) : IDisposable
{
    private const string Alarm = "disk";
    // Enough that one segment more does not stop recording again at once.
    private const long Margin = 64 << 20;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(1);
    private readonly Signal _wake = new();

    /// <summary>A guard of the disk that holds <paramref name="dataDir"/>.</summary>
    public static DiskGuard Of(DiskSettings settings, string dataDir, SessionBook book, Recorder recorder, Alarms alarms, ILogger log)
    {
        var drive = new DriveInfo(dataDir);
        return new DiskGuard(settings, dataDir, book, recorder, alarms, () => drive.AvailableFreeSpace, log);
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

    /// <summary>Frees and guards once.</summary>
    public void Check()
    {
        if (!settings.KeepAcknowledged)
        {
            foreach (var segment in Acknowledged())
                segment.TryRelease();
        }
        var wanted = settings.MinimumFreeBytes + (recorder.DiskGuarded ? Margin : 0);
        var free = freeBytes();
        foreach (var segment in free < wanted ? Acknowledged() : [])
        {
            segment.TryRelease();
            free = freeBytes();
            if (free >= wanted)
                break;
        }
        Guard(free < wanted, free);
    }

    public void Dispose() => _wake.Dispose();

    private void Guard(bool guarded, long free)
    {
        if (guarded == recorder.DiskGuarded)
            return;
        recorder.DiskGuarded = guarded;
        if (guarded)
        {
            LogStopped(free >> 20, dataDir, settings.MinimumFreeBytes >> 20);
            alarms.Raise(Alarm, $"recording stopped: less than {settings.MinimumFreeBytes >> 20} MiB are free for {dataDir}");
        }
        else
        {
            LogGoesOn(free >> 20, dataDir);
            alarms.Clear(Alarm);
        }
    }

    private List<Segment> Acknowledged() =>
        [.. book.All.SelectMany(s => s.Segments).Where(s => s.Custody is Custody.Acknowledged).OrderBy(s => s.Manifest.LogTimeStartNs)];

    [LoggerMessage(EventId = 221, Level = LogLevel.Error,
        Message = "{FreeMiB} MiB are free for {Folder}, less than disk.minimum_free_bytes ({MinimumMiB} MiB): recording stops and is counted as dropped")]
    private partial void LogStopped(long freeMiB, string folder, long minimumMiB);

    [LoggerMessage(EventId = 222, Level = LogLevel.Warning, Message = "{FreeMiB} MiB are free for {Folder}: recording goes on")]
    private partial void LogGoesOn(long freeMiB, string folder);
}
