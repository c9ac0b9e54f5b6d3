using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Upload;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Control;

/// <summary>Follows the commands <c>sync</c> and <c>fetch</c> until everything that they mean is settled, or they expire.</summary>
internal sealed class DeliveryWatch(SessionBook book, UploadLoop? upload, TimeProvider clock) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Watched> _watched = [];
    private readonly Signal _wake = new();

    /// <summary>False on an agent that uploads nothing.</summary>
    public bool IsPossible => upload is not null;

    /// <summary>
    /// Begins to follow a command, for each session up to the segment given for it; every upload is tried now, for a <c>sync</c> also outside the upload windows. A <c>sync</c> means what goes up
    /// by itself or was asked for, a <c>fetch</c> what overlaps its range.
    /// </summary>
    public void Watch(CommandMessage command, IReadOnlyDictionary<Session, int> last)
    {
        lock (_gate)
            _watched.Add(new Watched(command, last));
        if (command.Command is CommandKind.Sync)
            upload!.SyncUntil(WallClock.FromNs(command.ExpiresNs));
        upload!.RetryNow();
        _wake.Set();
    }

    /// <summary>Answers through <paramref name="answer"/>: progress whenever it changed, then the end.</summary>
    public async Task RunAsync(Action<CommandMessage, CommandStatus, string, double?> answer, CancellationToken cancellation)
    {
        book.SegmentChanged += _ => _wake.Set();
        while (!cancellation.IsCancellationRequested)
        {
            await _wake.WaitAsync(TimeSpan.FromSeconds(5), cancellation);
            List<Watched> watched;
            lock (_gate)
                watched = [.. _watched];
            foreach (var each in watched)
            {
                if (!Report(each, answer))
                    continue;
                lock (_gate)
                {
                    _watched.Remove(each);
                    if (!_watched.Exists(w => w.Command.Command is CommandKind.Sync))
                        upload!.SyncUntil(default);
                }
            }
        }
    }

    public void Dispose() => _wake.Dispose();

    /// <summary>True when there is nothing more to follow.</summary>
    private bool Report(Watched watched, Action<CommandMessage, CommandStatus, string, double?> answer)
    {
        var (all, left, gone) = (0, 0, 0);
        foreach (var (session, last) in watched.Last)
        {
            var segments = session.Segments.Where(s => s.Sequence <= last).ToList();
            // What is not in the chain yet may be meant.
            all += last - segments.Count;
            left += last - segments.Count;
            foreach (var segment in segments.Where(watched.Means))
            {
                all++;
                left += segment.IsSettled ? 0 : 1;
                gone += segment.Custody is Custody.Discarded or Custody.Quarantined ? 1 : 0;
            }
        }
        if (left == 0)
        {
            answer(watched.Command, CommandStatus.Succeeded, watched.Words(all, gone), 100);
            return true;
        }
        if (clock.NowNs() >= watched.Command.ExpiresNs)
        {
            answer(watched.Command, CommandStatus.Expired, $"{left} segments are still to be delivered; their delivery goes on", null);
            return true;
        }
        var percent = Math.Floor(100.0 * (all - left) / all);
        if (percent > watched.Percent)
            answer(watched.Command, CommandStatus.Progress, $"{left} segments to go", percent);
        watched.Percent = Math.Max(percent, watched.Percent);
        return false;
    }

    private sealed class Watched(CommandMessage command, IReadOnlyDictionary<Session, int> last)
    {
        public CommandMessage Command { get; } = command;
        public IReadOnlyDictionary<Session, int> Last { get; } = last;
        public double Percent { get; set; } = -1;

        public bool Means(Segment segment) => Command.Command is CommandKind.Fetch
            ? (Command.Range ?? new TimeRange(null, null)).Overlaps(segment.State.LogTimeStartNs, segment.State.LogTimeEndNs)
            : segment.Session.File.Manifest.Upload != UploadPolicy.OnDemand || segment.Session.IsRequested(segment);

        /// <summary>What is to be said at the end: a fetch that found nothing, or found less than was recorded.</summary>
        public string Words(int segments, int gone) => Command.Command is not CommandKind.Fetch ? ""
            : segments == 0 ? "no segment of that time is on this robot"
            : gone == 0 ? $"{segments} segments are in the bucket"
            : $"{segments - gone} segments are in the bucket, {gone} were discarded or are in quarantine";
    }
}
