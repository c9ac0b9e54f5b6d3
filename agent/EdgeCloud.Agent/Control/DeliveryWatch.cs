using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Upload;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Control;

/// <summary>Follows the command <c>sync</c> until everything that was recorded when it came is settled, or the command expires.</summary>
internal sealed class DeliveryWatch(SessionBook book, UploadLoop? upload, TimeProvider clock) : IDisposable
{
    private readonly Lock _gate = new();
    private readonly List<Watched> _watched = [];
    private readonly Signal _wake = new();

    /// <summary>False on an agent that uploads nothing.</summary>
    public bool IsPossible => upload is not null;

    /// <summary>Begins to follow a command; every upload is tried now.</summary>
    public void Watch(CommandMessage command)
    {
        lock (_gate)
            _watched.Add(new Watched(command, book.All.ToDictionary(s => s, s => s.Segments.Count == 0 ? 0 : s.Segments[^1].Sequence)));
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
                    _watched.Remove(each);
            }
        }
    }

    public void Dispose() => _wake.Dispose();

    /// <summary>True when there is nothing more to follow.</summary>
    private bool Report(Watched watched, Action<CommandMessage, CommandStatus, string, double?> answer)
    {
        var all = watched.Last.SelectMany(s => s.Key.Segments.Where(g => g.Sequence <= s.Value)).ToList();
        var left = all.Count(s => !s.IsSettled);
        if (left == 0)
        {
            answer(watched.Command, CommandStatus.Succeeded, "", 100);
            return true;
        }
        if (clock.NowNs() >= watched.Command.ExpiresNs)
        {
            answer(watched.Command, CommandStatus.Expired, $"{left} segments are still to be delivered; their delivery goes on", null);
            return true;
        }
        var percent = Math.Floor(100.0 * (all.Count - left) / all.Count);
        if (percent > watched.Percent)
            answer(watched.Command, CommandStatus.Progress, $"{left} segments to go", percent);
        watched.Percent = Math.Max(percent, watched.Percent);
        return false;
    }

    private sealed class Watched(CommandMessage command, Dictionary<Session, int> last)
    {
        public CommandMessage Command { get; } = command;
        public Dictionary<Session, int> Last { get; } = last;
        public double Percent { get; set; } = -1;
    }
}
