namespace EdgeCloud.Agent.Wal;

/// <summary>
/// Tells a log's owner what is durable (<see cref="SegmentLogOptions.Committed"/>), at moments at which no write of the log is without its sync.
/// While the end of a segment is being written there are such writes. They hold nothing that was not durable before, but whoever watches from outside
/// cannot know that: so nothing is told meanwhile, and the last of it afterwards.
/// </summary>
internal sealed class CommitReport(Action<DurableCommit>? told)
{
    private readonly object _gate = new();
    private bool _isCommitting;
    private bool _isSealing;
    private DurableCommit? _untold;

    /// <summary>The committer is about to write.</summary>
    public void BeginCommit()
    {
        lock (_gate) _isCommitting = true;
    }

    /// <summary>What it wrote is synced, or was given up.</summary>
    public void EndCommit()
    {
        lock (_gate)
        {
            _isCommitting = false;
            TellWhenQuiet();
        }
    }

    /// <summary>So much is durable.</summary>
    public void Tell(in DurableCommit commit)
    {
        lock (_gate)
        {
            _untold = commit;
            TellWhenQuiet();
        }
    }

    /// <summary>A segment is going to be written to by somebody else than the committer.</summary>
    public void BeginSealing()
    {
        lock (_gate) _isSealing = true;
    }

    /// <summary>That is over, and synced or given up.</summary>
    public void EndSealing()
    {
        lock (_gate)
        {
            _isSealing = false;
            TellWhenQuiet();
        }
    }

    private void TellWhenQuiet()
    {
        if (_isCommitting || _isSealing || _untold is not { } commit) return;
        _untold = null;
        told?.Invoke(commit);
    }
}
