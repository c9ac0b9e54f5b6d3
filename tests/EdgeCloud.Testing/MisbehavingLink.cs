using System.Net;
using System.Net.Sockets;

namespace EdgeCloud.Testing;

/// <summary>What a link does to one connection.</summary>
public enum LinkFault
{
    /// <summary>Nothing: the connection works.</summary>
    None,
    /// <summary>Closes both ends, as when a process on the way ends.</summary>
    Close,
    /// <summary>Resets both ends.</summary>
    Reset,
    /// <summary>Passes nothing on any more while the connection stays open.</summary>
    Swallow,
    /// <summary>Changes one bit of one byte.</summary>
    Corrupt,
    /// <summary>Waits for a moment, then goes on.</summary>
    Delay,
    /// <summary>From there on passes few bytes at a time.</summary>
    Throttle,
}

/// <summary>A fault that strikes when so many bytes have passed in one direction.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Upwards">In the direction from client to server; else in that of the answers.</param>
/// <param name="Offset">Bytes that pass before it.</param>
public readonly record struct PlannedFault(LinkFault Kind, bool Upwards, long Offset);

/// <summary>
/// A TCP relay between a client and a server on this machine that does to each connection what its plan says, at the exact byte: the same
/// plan and the same traffic give the same failure.
/// </summary>
public sealed class MisbehavingLink : IAsyncDisposable
{
    private static readonly TimeSpan DelayTime = TimeSpan.FromMilliseconds(30);
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly Func<PlannedFault> _plan;
    private readonly int _target;
    private readonly Task _accepting;
    private readonly List<Task> _connections = [];
    private long _up, _down;

    /// <param name="target">The server's port on 127.0.0.1.</param>
    /// <param name="plan">Asked for each connection, one after the other.</param>
    public MisbehavingLink(int target, Func<PlannedFault> plan)
    {
        (_target, _plan) = (target, plan);
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>The port to connect to.</summary>
    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    /// <summary>Bytes that passed from clients to the server.</summary>
    public long UpBytes => Volatile.Read(ref _up);

    /// <summary>Bytes that passed from the server to clients.</summary>
    public long DownBytes => Volatile.Read(ref _down);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        await _accepting;
        await Task.WhenAll(_connections);
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stopping.IsCancellationRequested)
        {
            try
            {
                _connections.Add(RelayAsync(await _listener.AcceptSocketAsync(_stopping.Token), _plan()));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                return;
            }
        }
    }

    private async Task RelayAsync(Socket client, PlannedFault fault)
    {
        using var server = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (client)
        using (var ended = CancellationTokenSource.CreateLinkedTokenSource(_stopping.Token))
        {
            client.NoDelay = true;
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target, ended.Token);
                await Task.WhenAny(
                    PumpAsync(client, server, fault, upwards: true, ended.Token), PumpAsync(server, client, fault, upwards: false, ended.Token));
            }
            catch (Exception e) when (e is OperationCanceledException or SocketException)
            {
            }
            await ended.CancelAsync();
            if (fault.Kind is LinkFault.Reset)
                client.LingerState = server.LingerState = new LingerOption(true, 0);
        }
    }

    /// <summary>Passes bytes on until a side ends or the fault ends the connection.</summary>
    private async Task PumpAsync(Socket from, Socket to, PlannedFault fault, bool upwards, CancellationToken cancellation)
    {
        var buffer = new byte[16 << 10];
        long passed = 0;
        var isMine = fault.Upwards == upwards && fault.Kind is not LinkFault.None;
        var isThrottled = false;
        try
        {
            while (true)
            {
                var wanted = isThrottled ? 500 : buffer.Length;
                if (isMine)
                    wanted = (int)Math.Clamp(fault.Offset - passed, 1, wanted);
                var read = await from.ReceiveAsync(buffer.AsMemory(0, wanted), cancellation);
                if (read == 0)
                    return;
                if (isMine && passed + read > fault.Offset)
                {
                    isMine = false;
                    switch (fault.Kind)
                    {
                        case LinkFault.Close or LinkFault.Reset:
                            return;
                        case LinkFault.Swallow:
                            await Task.Delay(Timeout.Infinite, cancellation);
                            break;
                        case LinkFault.Corrupt:
                            buffer[0] ^= (byte)(1 << (int)(fault.Offset % 8));
                            break;
                        case LinkFault.Delay:
                            await Task.Delay(DelayTime, cancellation);
                            break;
                        case LinkFault.Throttle:
                            isThrottled = true;
                            break;
                    }
                }
                for (var sent = 0; sent < read;)
                    sent += await to.SendAsync(buffer.AsMemory(sent, read - sent), cancellation);
                passed += read;
                Interlocked.Add(ref upwards ? ref _up : ref _down, read);
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The other direction ended, or a side was cut.
        }
    }
}
