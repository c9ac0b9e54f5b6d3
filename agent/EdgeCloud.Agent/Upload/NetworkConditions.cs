using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Upload;

/// <summary>
/// Which named network conditions hold: those with a pattern that matches the interface over which the kernel would send to the S3 server
/// now. It is the route that counts and not which interfaces are up: a robot in a wireless LAN may still reach the server over LTE.
/// </summary>
internal sealed class NetworkConditions(IReadOnlyDictionary<string, IReadOnlyList<string>> networks, string endpoint)
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);
    private readonly Uri _endpoint = new(endpoint);
    private readonly Dictionary<string, TopicSelection> _patterns =
        networks.ToDictionary(n => n.Key, n => new TopicSelection { Include = n.Value }, StringComparer.Ordinal);
    private string _interface = "";

    /// <summary>The interface that leads to the S3 server; empty when none does.</summary>
    public string Interface => Volatile.Read(ref _interface);

    /// <summary>Told after <see cref="Interface"/> changed.</summary>
    public event Action? Changed;

    /// <summary>True when segments of that policy may go up now, unasked.</summary>
    public bool Allows(string policy) => policy is UploadPolicy.Now
        || _patterns.TryGetValue(policy, out var patterns) && Interface is { Length: > 0 } name && patterns.Selects(name);

    /// <summary>Looks from time to time, until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await LookAsync(cancellation);
            await Task.Delay(Interval, cancellation);
        }
    }

    /// <summary>Looks once.</summary>
    public async Task LookAsync(CancellationToken cancellation)
    {
        var found = await FindInterfaceAsync(cancellation);
        if (Interlocked.Exchange(ref _interface, found) != found)
            Changed?.Invoke();
    }

    private async Task<string> FindInterfaceAsync(CancellationToken cancellation)
    {
        try
        {
            var addresses = await Dns.GetHostAddressesAsync(_endpoint.DnsSafeHost, cancellation);
            if (addresses.Length == 0)
                return "";
            // Connecting a datagram socket asks the kernel for a route and sends nothing.
            using var socket = new Socket(addresses[0].AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            await socket.ConnectAsync(addresses[0], _endpoint.Port, cancellation);
            var local = ((IPEndPoint)socket.LocalEndPoint!).Address;
            return NetworkInterface.GetAllNetworkInterfaces()
                .FirstOrDefault(i => i.GetIPProperties().UnicastAddresses.Any(a => a.Address.Equals(local)))?.Name ?? "";
        }
        catch (Exception e) when (e is SocketException or NetworkInformationException)
        {
            return "";
        }
    }
}
