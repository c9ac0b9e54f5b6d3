namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>Knows whether S3 answers, for the pages: one request every few seconds, whoever looks.</summary>
public sealed class StorageWatch(Bucket bucket, TimeProvider clock) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    private volatile bool _isThere = true;

    /// <summary>True when it answered the last time.</summary>
    public bool IsThere => _isThere;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            do
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(stoppingToken);
                patience.CancelAfter(Patience);
                try
                {
                    await bucket.ProbeAsync(patience.Token);
                    _isThere = true;
                }
                catch (Exception e) when (e is BucketUnavailableException or OperationCanceledException && !stoppingToken.IsCancellationRequested)
                {
                    _isThere = false;
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }
}
