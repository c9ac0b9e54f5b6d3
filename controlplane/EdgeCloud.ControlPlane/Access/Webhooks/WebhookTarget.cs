using System.Net;
using System.Net.Sockets;
using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Access.Webhooks;

/// <summary>
/// Where deliveries may go. An administrator of EdgeCloud is not one of the network it runs in: an address that means this machine or
/// its surroundings is refused, by the very address that the connection is made to, so that a name which means another address at a
/// second look, or a redirect, leads nowhere. <c>Webhooks:AllowedNetworks</c> opens networks, as a list such as <c>10.1.0.0/16, ::1/128</c>.
/// </summary>
public sealed class WebhookTarget
{
    private const int MaxUrlLength = 2000;

    // Addresses of no public host: RFC 6890 and its successors, and what translates into IPv4.
    private static readonly IPNetwork[] Closed = [.. new[]
    {
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
        "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        "::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8",
    }.Select(IPNetwork.Parse)];

    private readonly IPNetwork[] _allowed;

    /// <summary>Reads the setting.</summary>
    /// <exception cref="ConfigurationException">It is no list of networks.</exception>
    public WebhookTarget(IConfiguration configuration)
    {
        var text = configuration["Webhooks:AllowedNetworks"] ?? "";
        var networks = new List<IPNetwork>();
        foreach (var word in text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            networks.Add(IPNetwork.TryParse(word, out var network)
                ? network
                : throw new ConfigurationException($"Webhooks:AllowedNetworks holds '{word}'; it is a list of networks such as 10.1.0.0/16."));
        }
        _allowed = [.. networks];
    }

    /// <summary>Checks an address as far as it can be without asking for the meaning of its name.</summary>
    /// <exception cref="RequestException">It is none, or leads into a closed network.</exception>
    public Uri Check(string url)
    {
        if (url.Length > MaxUrlLength || !Uri.TryCreate(url, UriKind.Absolute, out var address) || address.Scheme is not ("http" or "https")
            || address.UserInfo.Length > 0 || address.Fragment.Length > 0)
        {
            throw RequestException.Invalid("url", "an http or https address without user, password and fragment");
        }
        if (IPAddress.TryParse(address.DnsSafeHost, out var ip) && !IsAllowed(ip))
            throw RequestException.Invalid("url", $"{ip} is in a closed network; Webhooks:AllowedNetworks opens it");
        return address;
    }

    /// <summary>Whether a connection may be made to an address.</summary>
    public bool IsAllowed(IPAddress address)
    {
        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return _allowed.Any(n => n.Contains(plain)) || !Closed.Any(n => n.Contains(plain));
    }

    /// <summary>A client that connects only to what is allowed, follows no redirect and uses no proxy.</summary>
    public HttpClient NewClient(TimeSpan timeout) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        ConnectTimeout = timeout,
        ConnectCallback = ConnectAsync,
        PooledConnectionLifetime = TimeSpan.FromMinutes(2),
        MaxResponseHeadersLength = 16,
    })
    { Timeout = timeout, MaxResponseContentBufferSize = 64 * 1024 };

    private async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var host = context.DnsEndPoint.Host;
        var addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(host, cancellation);
        var allowed = addresses.Where(IsAllowed).ToArray();
        if (allowed.Length == 0)
            throw new HttpRequestException($"{host} is in a closed network; Webhooks:AllowedNetworks opens it");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(allowed, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
