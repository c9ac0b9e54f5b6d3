using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace EdgeCloud.Agent.Host;

/// <summary>
/// Tells systemd how this process is: datagrams to the socket in <c>NOTIFY_SOCKET</c> (sd_notify(3)). Where there is none, nothing happens.
/// </summary>
internal sealed class SystemdNotify : IDisposable
{
    private readonly Socket? _socket;

    /// <summary>Takes the variables of this process.</summary>
    public static SystemdNotify FromEnvironment() => new(
        Environment.GetEnvironmentVariable("NOTIFY_SOCKET"), Environment.GetEnvironmentVariable("WATCHDOG_USEC"));

    public SystemdNotify(string? socketPath, string? watchdogMicroseconds)
    {
        if (string.IsNullOrEmpty(socketPath))
            return;
        _socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        // A leading '@' stands for the NUL of the abstract name space.
        _socket.Connect(new UnixDomainSocketEndPoint(socketPath[0] == '@' ? "\0" + socketPath[1..] : socketPath));
        if (long.TryParse(watchdogMicroseconds, CultureInfo.InvariantCulture, out var interval) && interval > 0)
            WatchdogInterval = TimeSpan.FromMicroseconds(interval / 2.0);
    }

    /// <summary>How often <see cref="Alive"/> is wanted; null when it is not.</summary>
    public TimeSpan? WatchdogInterval { get; }

    public void Ready(string status) => Send($"READY=1\nSTATUS={status}");

    public void Stopping() => Send("STOPPING=1");

    public void Alive() => Send("WATCHDOG=1");

    public void Dispose() => _socket?.Dispose();

    private void Send(string state)
    {
        try
        {
            _socket?.Send(Encoding.UTF8.GetBytes(state));
        }
        catch (SocketException)
        {
            // systemd went away or restarts: whether it hears of us is not ours to decide.
        }
    }
}
