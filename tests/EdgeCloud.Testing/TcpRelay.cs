using System.Net;
using System.Net.Sockets;

namespace EdgeCloud.Testing;

/// <summary>
/// Stands between a client and a server on this machine and can misbehave like a network: cut every connection, refuse new ones, or
/// swallow what is sent while the connections stay open.
/// </summary>
public sealed class TcpRelay : IAsyncDisposable
{
    private readonly TcpListener _listener;
    private readonly int _target;
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private readonly HashSet<TcpClient> _open = [];
    private readonly List<Task> _pumps = [];
    private readonly Task _accepting;
    private volatile bool _refusing;
    private long _bytesPerSecond = long.MaxValue;
    private long _freeAt;
    private TaskCompletionSource? _thaw;

    /// <summary>Starts to listen.</summary>
    /// <param name="target">The server's port on 127.0.0.1.</param>
    /// <param name="listen">The address to listen on; null for 127.0.0.1.</param>
    public TcpRelay(int target, IPAddress? listen = null)
    {
        _target = target;
        _listener = new TcpListener(listen ?? IPAddress.Loopback, 0);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The port to connect to.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Connections through it right now.</summary>
    public int Connections
    {
        get
        {
            lock (_gate)
                return _open.Count / 2;
        }
    }

    /// <summary>What all connections through it may carry together, both ways, bytes/s: a link of that speed.</summary>
    public long BytesPerSecond
    {
        get => Interlocked.Read(ref _bytesPerSecond);
        set => Interlocked.Exchange(ref _bytesPerSecond, value);
    }

    /// <summary>Resets every connection; with <paramref name="refuse"/> also new ones, until <see cref="Restore"/>.</summary>
    public void Cut(bool refuse = false)
    {
        _refusing = refuse;
        TcpClient[] open;
        lock (_gate)
            open = [.. _open];
        foreach (var client in open)
            Reset(client);
    }

    private static void Reset(TcpClient client)
    {
        // Null or disposed when the pump has closed it a moment ago.
        try
        {
            client.Client?.LingerState = new LingerOption(true, 0);
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
        }
        client.Close();
    }

    /// <summary>Forwards nothing any more while connections stay open, as when a robot drives out of reach.</summary>
    public void Freeze() => _thaw ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends <see cref="Freeze"/> and the refusing of <see cref="Cut"/>.</summary>
    public void Restore()
    {
        _refusing = false;
        Interlocked.Exchange(ref _thaw, null)?.SetResult();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        Restore();
        Cut();
        await Task.WhenAll(_pumps);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
                if (_refusing)
                {
                    Reset(client);
                    continue;
                }
                var server = new TcpClient { NoDelay = true };
                client.NoDelay = true;
                try
                {
                    await server.ConnectAsync(IPAddress.Loopback, _target, _stopping.Token);
                }
                catch (SocketException)
                {
                    client.Close();
                    continue;
                }
                lock (_gate)
                {
                    _open.Add(client);
                    _open.Add(server);
                }
                _pumps.Add(PumpBothAsync(client, server));
            }
        }
        catch (Exception) when (_stopping.IsCancellationRequested)
        {
        }
    }

    private async Task PumpBothAsync(TcpClient client, TcpClient server)
    {
        await Task.WhenAny(PumpAsync(client, server), PumpAsync(server, client));
        lock (_gate)
        {
            _open.Remove(client);
            _open.Remove(server);
        }
        client.Close();
        server.Close();
    }

    private async Task PumpAsync(TcpClient from, TcpClient to)
    {
        var buffer = new byte[64 * 1024];
        try
        {
            var input = from.GetStream();
            var output = to.GetStream();
            int read;
            while ((read = await input.ReadAsync(buffer)) > 0)
            {
                if (_thaw is { } thaw)
                    await thaw.Task;
                await WaitForLinkAsync(read);
                await output.WriteAsync(buffer.AsMemory(0, read));
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or InvalidOperationException)
        {
            // One side was cut: the other is closed too.
        }
    }

    // The link is busy for as long as the bytes take, one after the other; short waits are left to add up.
    private async Task WaitForLinkAsync(int bytes)
    {
        var rate = BytesPerSecond;
        if (rate == long.MaxValue)
            return;
        var takes = bytes * TimeSpan.TicksPerSecond / rate;
        long now, freeAt;
        lock (_gate)
        {
            now = DateTime.UtcNow.Ticks;
            freeAt = _freeAt = Math.Max(_freeAt, now) + takes;
        }
        if (freeAt - now > 5 * TimeSpan.TicksPerMillisecond)
            await Task.Delay(TimeSpan.FromTicks(freeAt - now));
    }
}
