using System.Threading.Channels;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Wakes this process's export worker. What there is to do is in the catalogue.</summary>
public sealed class ExportSignal
{
    private readonly Channel<bool> _wake = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>There may be something to do.</summary>
    public void Wake() => _wake.Writer.TryWrite(true);

    /// <summary>Waits for <see cref="Wake"/>, at most <paramref name="atMost"/>.</summary>
    public async Task WaitAsync(TimeSpan atMost, TimeProvider clock, CancellationToken cancellation)
    {
        try
        {
            await _wake.Reader.ReadAsync(cancellation).AsTask().WaitAsync(atMost, clock, cancellation);
        }
        catch (TimeoutException)
        {
        }
    }
}
