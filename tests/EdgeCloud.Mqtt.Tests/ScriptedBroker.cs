using System.Collections.Concurrent;
using System.Net;
using System.Net.Security;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Text;

namespace EdgeCloud.Mqtt.Tests;

/// <summary>
/// Just enough of an MQTT 5 broker to answer as a real one does not on demand: refusals by any reason code, silence, other protocols.
/// Speaks to any number of clients on a port of its own; with an authority it asks them for a certificate.
/// </summary>
internal sealed class ScriptedBroker : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stopping = new();
    private readonly ConcurrentBag<TcpClient> _clients = [];
    private readonly ConcurrentQueue<string> _subscribed = new();
    private readonly TaskCompletionSource _connectSeen = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TestAuthority? _authority;
    private readonly Task _accepting;

    public ScriptedBroker(TestAuthority? authority = null)
    {
        _authority = authority;
        _listener.Start();
        _accepting = AcceptAsync();
    }

    /// <summary>Reason code of every CONNACK; null to say nothing.</summary>
    public byte? Connack { get; init; } = 0;

    /// <summary>Closes instead of answering.</summary>
    public bool HangUp { get; init; }

    /// <summary>Sent in place of a CONNACK, before hanging up.</summary>
    public byte[]? Greeting { get; init; }

    /// <summary>Reason code for a subscription to a filter.</summary>
    public Func<string, byte> OnSubscribe { get; init; } = _ => 1;

    /// <summary>Filters of every SUBSCRIBE so far.</summary>
    public IEnumerable<string> Subscribed => _subscribed;

    /// <summary>Completes with the first bytes of a client.</summary>
    public Task ConnectSeen => _connectSeen.Task;

    public MqttOptions Options(string clientId) => new()
    {
        Host = "localhost",
        Port = ((IPEndPoint)_listener.LocalEndpoint).Port,
        ClientId = clientId,
        ReconnectMin = TimeSpan.FromMilliseconds(50),
        ReconnectMax = TimeSpan.FromMilliseconds(500),
    };

    /// <summary>Sends bytes to every client (none of them over TLS).</summary>
    public async Task SayAsync(byte[] packet)
    {
        foreach (var client in _clients)
            await client.GetStream().WriteAsync(packet);
    }

    /// <summary>Closes every connection.</summary>
    public void Drop()
    {
        while (_clients.TryTake(out var client))
            client.Close();
    }

    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        _listener.Stop();
        Drop();
        await _accepting;
        _stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                var client = await _listener.AcceptTcpClientAsync(_stopping.Token);
                _clients.Add(client);
                serving.Add(ServeAsync(client));
            }
        }
        // A listener that is stopped between two calls says that it is not listening, or was disposed of: both are invalid operations.
        catch (Exception e) when (e is OperationCanceledException or SocketException || (e is InvalidOperationException && _stopping.IsCancellationRequested))
        {
            Drop();
            await Task.WhenAll(serving);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        try
        {
            await using var stream = await OpenAsync(client);
            while (await ReadPacketAsync(stream) is var (type, body))
            {
                _connectSeen.TrySetResult();
                if (type == 1 && HangUp)
                    return;
                if (Answer(type, body) is { } answer)
                    await stream.WriteAsync(answer);
                if (Greeting is not null)
                    return;
            }
        }
        catch (Exception e) when (e is IOException or ObjectDisposedException or AuthenticationException or InvalidOperationException)
        {
            // The client went, or was dropped.
        }
        finally
        {
            client.Close();
        }
    }

    private async Task<Stream> OpenAsync(TcpClient client)
    {
        if (_authority is null)
            return client.GetStream();
        // The chain is not checked: it is enough that there is a certificate.
        var tls = new SslStream(client.GetStream(), false, (_, certificate, _, _) => certificate is not null);
        await tls.AuthenticateAsServerAsync(
            new SslServerAuthenticationOptions { ServerCertificate = _authority.Server, ClientCertificateRequired = true });
        return tls;
    }

    /// <summary>MQTT 5 sections 3.2, 3.9, 3.12: CONNACK, SUBACK, PINGRESP.</summary>
    private byte[]? Answer(int type, byte[] body)
    {
        switch (type)
        {
            case 1 when Greeting is not null:
                return Greeting;
            case 1:
                return Connack is { } code ? [0x20, 3, 0, code, 0] : null;
            case 8:
                // Packet id, property length (none here), filter length, filter, options.
                var filter = Encoding.UTF8.GetString(body, 5, (body[3] << 8) | body[4]);
                _subscribed.Enqueue(filter);
                return [0x90, 4, body[0], body[1], 0, OnSubscribe(filter)];
            case 12:
                return [0xD0, 0];
            default:
                return null;
        }
    }

    private static async Task<(int Type, byte[] Body)?> ReadPacketAsync(Stream stream)
    {
        var one = new byte[1];
        if (await stream.ReadAsync(one) == 0)
            return null;
        var type = one[0] >> 4;
        int length = 0, shift = 0;
        do
        {
            await stream.ReadExactlyAsync(one);
            length |= (one[0] & 0x7F) << shift;
            shift += 7;
        }
        while ((one[0] & 0x80) != 0 && shift < 28);
        var body = new byte[length];
        await stream.ReadExactlyAsync(body);
        return (type, body);
    }
}
