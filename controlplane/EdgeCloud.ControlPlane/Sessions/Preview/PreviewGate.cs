namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>Lets in as many previews at a time as memory is meant for; the others wait their turn.</summary>
internal sealed class PreviewGate
{
    private const int AtOnce = 4;
    private readonly SemaphoreSlim _free = new(AtOnce);

    /// <summary>Waits for a place; disposing the result gives it back.</summary>
    public async Task<IDisposable> EnterAsync(CancellationToken cancellation)
    {
        await _free.WaitAsync(cancellation);
        return new Place(_free);
    }

    private sealed class Place(SemaphoreSlim free) : IDisposable
    {
        public void Dispose() => free.Release();
    }
}
