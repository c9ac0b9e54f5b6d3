using System.Net;
using System.Net.Sockets;

namespace EdgeCloud.Testing;

/// <summary>A TCP port that nobody uses now.</summary>
public static class FreePort
{
    /// <summary>Asks the kernel. Another process may take the port before you do: prefer to bind port 0 yourself where you can.</summary>
    public static int Next()
    {
        using var probe = new TcpListener(IPAddress.Loopback, 0);
        probe.Start();
        return ((IPEndPoint)probe.LocalEndpoint).Port;
    }

    /// <summary>
    /// One for a server that is stopped and started again: below the range from which the kernel takes ports for outgoing connections, so
    /// that no client's connection takes it meanwhile.
    /// </summary>
    public static int ToComeBackTo()
    {
        while (true)
        {
            var port = Random.Shared.Next(20000, 32000);
            using var probe = new TcpListener(IPAddress.Loopback, port);
            try
            {
                probe.Start();
                return port;
            }
            catch (SocketException e) when (e.SocketErrorCode == SocketError.AddressAlreadyInUse)
            {
            }
        }
    }
}
