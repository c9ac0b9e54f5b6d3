using System.Runtime.InteropServices;
using static EdgeCloud.Mqtt.Libmosquitto.NativeMosquitto;

namespace EdgeCloud.Mqtt.Libmosquitto;

/// <summary>One <c>struct mosquitto</c>, from its settings to its last packet. Used from one thread only.</summary>
internal sealed unsafe class MosquittoHandle : IDisposable
{
    private const int QoS = 1;

    private readonly nint _mosquitto;
    private bool _disposed;

    /// <param name="options">Who to be and how to secure the connection.</param>
    /// <param name="will">The Last Will; null for none.</param>
    /// <param name="owner">Handed to every callback.</param>
    /// <exception cref="MqttException">libmosquitto refuses a setting, such as a certificate file that cannot be read.</exception>
    public MosquittoHandle(MqttOptions options, MqttMessage? will, GCHandle owner)
    {
        _mosquitto = New(options.ClientId, Bool(options.SessionExpiry == TimeSpan.Zero), GCHandle.ToIntPtr(owner));
        if (_mosquitto == 0)
            throw new MqttException($"libmosquitto does not take the client id '{options.ClientId}'");
        try
        {
            Check(IntOption(_mosquitto, OptProtocolVersion, ProtocolVersion5), "MQTT version 5");
            Check(IntOption(_mosquitto, OptTcpNoDelay, 1), "TCP_NODELAY");
            Check(UserPasswordSet(_mosquitto, options.User, options.Password), "user and password");
            if (options.Tls is not null)
                SetTls(options.Tls);
            if (will is not null)
                SetWill(will);
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    /// <summary>The <c>struct mosquitto *</c>, for setting callbacks.</summary>
    public nint Pointer => _mosquitto;

    /// <summary>The socket's descriptor, -1 when there is none (any more).</summary>
    public int Socket => Socket(_mosquitto);

    /// <summary>Something waits to be written.</summary>
    public bool WantsToWrite => WantWrite(_mosquitto) != 0;

    /// <summary>Starts to connect; resolving the name may take as long as the system's resolver does, nothing else waits.</summary>
    /// <param name="options">Where to.</param>
    /// <param name="local">The address to bind to; null for any.</param>
    /// <returns>A <c>mosq_err_t</c>.</returns>
    public int Connect(MqttOptions options, string? local)
    {
        var keepAlive = (int)options.KeepAlive.TotalSeconds;
        if (options.SessionExpiry > TimeSpan.Zero)
            SetSessionExpiry(options.SessionExpiry, keepAlive);
        return ConnectAsync(_mosquitto, options.Host, options.Port, keepAlive, local);
    }

    public int Read() => LoopRead(_mosquitto, 1);

    public int Write() => LoopWrite(_mosquitto, 1);

    public int KeepAlive() => LoopMisc(_mosquitto);

    public int Disconnect() => NativeMosquitto.Disconnect(_mosquitto, 0, 0);

    /// <summary>Queues and begins to send a message.</summary>
    /// <returns>A <c>mosq_err_t</c>; on success <paramref name="packetId"/> is what the PUBACK will carry.</returns>
    public int Publish(MqttMessage message, out int packetId)
    {
        int id = 0;
        var properties = ExpiryProperty(message.Expiry);
        fixed (byte* payload = message.Payload.Span)
        {
            var error = NativeMosquitto.Publish(
                _mosquitto, &id, message.Topic, message.Payload.Length, payload, QoS, Bool(message.Retain), properties);
            PropertyFreeAll(&properties);
            packetId = id;
            return error;
        }
    }

    /// <summary>Sends a SUBSCRIBE.</summary>
    /// <returns>As for <see cref="Publish"/>, with the SUBACK.</returns>
    public int Subscribe(string filter, out int packetId)
    {
        int id = 0;
        var error = NativeMosquitto.Subscribe(_mosquitto, &id, filter, QoS, 0, 0);
        packetId = id;
        return error;
    }

    public void Dispose()
    {
        if (_disposed)
            return;
        _disposed = true;
        Destroy(_mosquitto);
    }

    private void SetTls(MqttTls tls)
    {
        var files = new[] { tls.CaFile, tls.CertificateFile, tls.KeyFile }.OfType<string>().ToArray();
        foreach (var file in files)
        {
            if (!File.Exists(file))
                throw new MqttException($"the TLS file {file} does not exist");
        }
        // tls_set insists on some place for authorities; without a CA file the system's are added to an empty one.
        if (tls.CaFile is null)
            Check(IntOption(_mosquitto, OptTlsUseOsCertificates, 1), "the system's certificate authorities");
        if (tls.CaFile is not null || tls.CertificateFile is not null)
        {
            var folder = tls.CaFile is null ? "/etc/ssl/certs" : null;
            Check(TlsSet(_mosquitto, tls.CaFile, folder, tls.CertificateFile, tls.KeyFile, 0),
                $"the TLS files {string.Join(", ", files)}; can this user read them?");
        }
    }

    private void SetWill(MqttMessage will)
    {
        var properties = ExpiryProperty(will.Expiry);
        fixed (byte* payload = will.Payload.Span)
        {
            var error = WillSet(
                _mosquitto, will.Topic, will.Payload.Length, payload, QoS, Bool(will.Retain), properties);
            // On success the properties are the library's.
            if (error != Success)
                PropertyFreeAll(&properties);
            Check(error, $"the Will on {will.Topic}");
        }
    }

    /// <summary>
    /// CONNECT properties can only be handed over by the call that connects and blocks (up to two minutes, for a host that does not
    /// answer). It stores them before it looks at the address, so it is given an address that is wrong without asking the network: port
    /// 0 means a local socket and its path is empty. The connect that does not block then uses what was stored.
    /// </summary>
    private void SetSessionExpiry(TimeSpan expiry, int keepAlive)
    {
        nint properties = 0;
        Check(PropertyAddInt32(&properties, PropertySessionExpiryInterval, Seconds(expiry)), "the session expiry");
        _ = ConnectBlocking(_mosquitto, "", 0, keepAlive, 0, properties);
        PropertyFreeAll(&properties);
    }

    private static nint ExpiryProperty(TimeSpan? expiry)
    {
        nint properties = 0;
        if (expiry is { } after)
            Check(PropertyAddInt32(&properties, PropertyMessageExpiryInterval, Seconds(after)), "the message expiry");
        return properties;
    }

    private static byte Bool(bool value) => value ? (byte)1 : (byte)0;

    /// <summary>Whole seconds, rounded up so that an interval is never cut to nothing; 0xFFFFFFFF means for ever.</summary>
    private static uint Seconds(TimeSpan interval) => (uint)Math.Clamp(Math.Ceiling(interval.TotalSeconds), 0, uint.MaxValue);

    private static void Check(int error, string what)
    {
        if (error != Success)
            throw new MqttException($"libmosquitto does not take {what}: {Describe(error)}");
    }
}
