namespace EdgeCloud.Agent.Upload;

/// <summary>
/// How long the store as a whole is left alone after it could not be reached: several workers that fail together count as one failure, and one
/// success ends it.
/// </summary>
internal sealed class StorePause(TimeProvider clock)
{
    private readonly Lock _gate = new();
    private int _round;
    private DateTimeOffset _due;

    /// <summary>Failures in a row.</summary>
    public int Failures { get; private set; }

    /// <summary>When it is tried again; null when nothing is wrong.</summary>
    public DateTimeOffset? Due
    {
        get
        {
            lock (_gate)
                return Failures == 0 ? null : _due;
        }
    }

    /// <summary>Names the attempts that begin now, for <see cref="Failed"/>.</summary>
    public int Round
    {
        get
        {
            lock (_gate)
                return _round;
        }
    }

    /// <summary>An attempt of a round failed; only the first of a round counts.</summary>
    public void Failed(int round, bool isPermanent)
    {
        lock (_gate)
        {
            if (round != _round)
                return;
            _round++;
            Failures++;
            _due = clock.GetUtcNow() + (isPermanent ? Backoff.Longest : Backoff.After(Failures));
        }
    }

    /// <summary>Something went through, or somebody wants it to be tried now.</summary>
    public void End()
    {
        lock (_gate)
            Failures = 0;
    }
}
