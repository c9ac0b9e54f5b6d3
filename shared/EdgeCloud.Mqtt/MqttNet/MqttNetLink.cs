using System.Buffers;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using MQTTnet;
using MQTTnet.Exceptions;
using MQTTnet.Protocol;

namespace EdgeCloud.Mqtt.MqttNet;

/// <summary>
/// A link over MQTTnet 5. What its client leaves to its user is done here: the broker's receive maximum is kept, publishes are never
/// cancelled half-way (a late PUBACK would end the connection), and the broker is pinged also while messages flow.
/// </summary>
internal sealed class MqttNetLink : MqttLink
{
    /// <summary>Publishes on their way; fewer where the broker's CONNACK says so.</summary>
    private const int InFlightMax = 64;

    private static readonly TimeSpan FarewellMax = TimeSpan.FromSeconds(1);

    private readonly MqttOptions _options;
    private readonly MqttMessage? _will;
    private readonly Action<MqttMessage> _deliver;
    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly TaskCompletionSource<string> _lost = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenSource _ended = new();
    private SemaphoreSlim _inFlight = new(InFlightMax);
    private Task _pinging = Task.CompletedTask;

    public MqttNetLink(MqttOptions options, MqttMessage? will, Action<MqttMessage> deliver)
    {
        _options = options;
        _will = will;
        _deliver = deliver;
        _client.ApplicationMessageReceivedAsync += OnMessage;
        _client.DisconnectedAsync += OnDisconnected;
    }

    public override Task<string> Lost => _lost.Task;

    public override async Task ConnectAsync(CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(_options.ConnectTimeout);
        try
        {
            var result = await _client.ConnectAsync(ClientOptions(), patience.Token);
            if (MqttReasons.IsError((int)result.ResultCode))
                throw MqttReasons.RefusedConnection((int)result.ResultCode);
            if (result.ReceiveMaximum is { } maximum && maximum < InFlightMax)
                _inFlight = new SemaphoreSlim(Math.Max(1, (int)maximum));
        }
        catch (Exception e) when (patience.IsCancellationRequested && !cancellation.IsCancellationRequested && e is not MqttException)
        {
            throw new MqttException($"{Broker} did not answer within {_options.ConnectTimeout.TotalSeconds:0.###} s", null, e);
        }
        catch (Exception e) when (e is MqttCommunicationException or MqttProtocolViolationException or CryptographicException)
        {
            cancellation.ThrowIfCancellationRequested();
            throw new MqttException($"cannot connect to {Broker}: {Describe(e)}", null, e);
        }
        _pinging = PingAsync();
    }

    public override async Task PublishAsync(MqttMessage message, CancellationToken cancellation)
    {
        var result = await WhileConnected(() => _client.PublishAsync(new MqttApplicationMessage
        {
            Topic = message.Topic,
            Payload = new(message.Payload),
            Retain = message.Retain,
            QualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce,
            MessageExpiryInterval = message.Expiry is { } after ? Seconds(after) : 0,
        }, _ended.Token), cancellation);
        if (MqttReasons.IsError((int)result.ReasonCode))
            throw MqttReasons.RefusedPublish(message.Topic, (int)result.ReasonCode);
    }

    public override async Task SubscribeAsync(string filter, CancellationToken cancellation)
    {
        var request = new MqttClientSubscribeOptionsBuilder().WithTopicFilter(filter, MqttQualityOfServiceLevel.AtLeastOnce).Build();
        var result = await WhileConnected(() => _client.SubscribeAsync(request, _ended.Token), cancellation);
        foreach (var item in result.Items)
        {
            if (MqttReasons.IsError((int)item.ResultCode))
                throw MqttReasons.RefusedSubscription(filter, (int)item.ResultCode);
        }
    }

    public override async ValueTask DisposeAsync()
    {
        if (_client.IsConnected)
        {
            using var patience = new CancellationTokenSource(FarewellMax);
            try
            {
                await _client.DisconnectAsync(new MqttClientDisconnectOptions(), patience.Token);
            }
            catch (Exception e) when (e is MqttCommunicationException or OperationCanceledException or ObjectDisposedException)
            {
                // The connection went at the same moment, or takes nothing: the broker sends the Will, as it should.
            }
        }
        End("closed by this side");
        await _pinging;
        _client.Dispose();
    }

    /// <summary>Runs a request to its end even when its caller has left, within the broker's limit of those on their way.</summary>
    private async Task<T> WhileConnected<T>(Func<Task<T>> request, CancellationToken cancellation)
    {
        var running = RunAsync();
        try
        {
            return await running.WaitAsync(cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            // Nobody else will look at how it ended.
            _ = running.ContinueWith(
                t => _ = t.Exception, CancellationToken.None, TaskContinuationOptions.OnlyOnFaulted, TaskScheduler.Default);
            throw;
        }

        async Task<T> RunAsync()
        {
            try
            {
                await _inFlight.WaitAsync(_ended.Token);
                try
                {
                    return await request();
                }
                finally
                {
                    _inFlight.Release();
                }
            }
            catch (MqttProtocolViolationException e)
            {
                throw new MqttException($"MQTTnet does not send this: {e.Message}", null, e);
            }
            catch (Exception e) when (e is MqttCommunicationException or OperationCanceledException or ObjectDisposedException)
            {
                // What failed is the connection, even where this request saw it first.
                End(Describe(e));
                throw new MqttException($"the MQTT connection ended before the broker acknowledged: {await _lost.Task}", null, e);
            }
        }
    }

    /// <summary>MQTTnet pings only while it sends nothing; a broker that takes messages and never answers must be noticed too.</summary>
    private async Task PingAsync()
    {
        using var timer = new PeriodicTimer(_options.KeepAlive * 0.8);
        try
        {
            while (await timer.WaitForNextTickAsync(_ended.Token))
            {
                using var patience = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
                patience.CancelAfter(_options.KeepAlive * 0.5);
                await _client.PingAsync(patience.Token);
            }
        }
        catch (Exception e) when (e is MqttCommunicationException or OperationCanceledException or ObjectDisposedException)
        {
            End($"lost the connection to {Broker}: no answer to a ping");
        }
    }

    private Task OnMessage(MqttApplicationMessageReceivedEventArgs received)
    {
        var message = received.ApplicationMessage;
        _deliver(new MqttMessage
        {
            Topic = message.Topic,
            Payload = message.Payload.ToArray(),
            Retain = message.Retain,
            Expiry = message.MessageExpiryInterval == 0 ? null : TimeSpan.FromSeconds(message.MessageExpiryInterval),
        });
        return Task.CompletedTask;
    }

    private Task OnDisconnected(MqttClientDisconnectedEventArgs disconnected)
    {
        End(MqttReasons.IsError((int)disconnected.Reason)
            ? $"the broker closed the connection: {MqttReasons.Describe((int)disconnected.Reason)}"
            : $"lost the connection to {Broker}: {(disconnected.Exception is { } e ? Describe(e) : "the broker closed it")}");
        return Task.CompletedTask;
    }

    /// <summary>The first reason counts.</summary>
    private void End(string reason)
    {
        if (_lost.TrySetResult(reason))
            _ended.Cancel();
    }

    private string Broker => $"{_options.Host}:{_options.Port}";

    /// <summary>The innermost words: MQTTnet wraps the cause several times.</summary>
    private static string Describe(Exception e)
    {
        for (; ; e = e.InnerException)
        {
            if (e is AuthenticationException or SocketException or CryptographicException || e.InnerException is null)
                return e is AuthenticationException ? $"TLS failed ({e.Message})" : e.Message;
        }
    }

    private MqttClientOptions ClientOptions()
    {
        var options = new MqttClientOptions
        {
            ClientId = _options.ClientId,
            CleanSession = _options.SessionExpiry == TimeSpan.Zero,
            SessionExpiryInterval = Seconds(_options.SessionExpiry),
            KeepAlivePeriod = _options.KeepAlive,
            Timeout = _options.ConnectTimeout,
            Credentials = _options.User is { } user ? new MqttClientCredentials(user, Password()) : null,
            ChannelOptions = new MqttClientTcpOptions
            {
                RemoteEndpoint = new DnsEndPoint(_options.Host, _options.Port),
                BufferSize = 64 * 1024,
                // The default resets the connection at its end, which can overtake the DISCONNECT: then the Will would be sent.
                LingerState = new LingerOption(false, 0),
                TlsOptions = _options.Tls is { } tls ? TlsOptions(tls) : new MqttClientTlsOptions { UseTls = false },
            },
        };
        if (_will is not null)
        {
            options.WillTopic = _will.Topic;
            options.WillPayload = _will.Payload.ToArray();
            options.WillRetain = _will.Retain;
            options.WillQualityOfServiceLevel = MqttQualityOfServiceLevel.AtLeastOnce;
            options.WillMessageExpiryInterval = _will.Expiry is { } after ? Seconds(after) : 0;
        }
        return options;
    }

    private byte[]? Password() => _options.Password is { } password ? Encoding.UTF8.GetBytes(password) : null;

    private static MqttClientTlsOptions TlsOptions(MqttTls tls)
    {
        var options = new MqttClientTlsOptions { UseTls = true, RevocationMode = X509RevocationMode.NoCheck };
        if (tls.CaFile is { } caFile)
        {
            options.TrustChain = [];
            options.TrustChain.ImportFromPemFile(Existing(caFile));
            // An empty list would mean the system's authorities.
            if (options.TrustChain.Count == 0)
                throw new MqttException($"the TLS file {caFile} holds no certificate");
        }
        if (tls.CertificateFile is { } certificateFile)
        {
            var certificate = X509Certificate2.CreateFromPemFile(Existing(certificateFile), Existing(tls.KeyFile!));
            options.ClientCertificatesProvider = new DefaultMqttCertificatesProvider(new X509Certificate2Collection(certificate));
        }
        return options;
    }

    private static string Existing(string file) =>
        File.Exists(file) ? file : throw new MqttException($"the TLS file {file} does not exist");

    /// <summary>Whole seconds, rounded up so that an interval is never cut to nothing.</summary>
    private static uint Seconds(TimeSpan interval) => (uint)Math.Clamp(Math.Ceiling(interval.TotalSeconds), 0, uint.MaxValue);
}
