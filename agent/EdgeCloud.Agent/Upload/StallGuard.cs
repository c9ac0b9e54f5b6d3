namespace EdgeCloud.Agent.Upload;

/// <summary>
/// Ends a request over which nothing has moved for a while: a link that went silent says so by nothing else, and a time limit on whole
/// requests would never let a large body through a slow link.
/// </summary>
internal sealed class StallGuard : IDisposable
{
    private readonly CancellationTokenSource _stalled;
    private readonly CancellationToken _outer;
    private readonly TimeSpan _limit;

    public StallGuard(TimeSpan limit, CancellationToken cancellation)
    {
        (_limit, _outer) = (limit, cancellation);
        _stalled = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        Moved();
    }

    /// <summary>Cancelled by the caller's token, and when nothing moved for too long.</summary>
    public CancellationToken Token => _stalled.Token;

    /// <summary>True when the token is cancelled because nothing moved.</summary>
    public bool HasStalled => _stalled.IsCancellationRequested && !_outer.IsCancellationRequested;

    /// <summary>Something moved.</summary>
    public void Moved() => _stalled.CancelAfter(_limit);

    public void Dispose() => _stalled.Dispose();
}
