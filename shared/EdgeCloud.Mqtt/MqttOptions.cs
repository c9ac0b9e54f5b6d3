namespace EdgeCloud.Mqtt;

/// <summary>The library that speaks MQTT underneath a connection.</summary>
public enum MqttLibrary
{
    /// <summary>libmosquitto 2.0, the system's shared library.</summary>
    Libmosquitto,
    /// <summary>MQTTnet 5; only in builds whose package feed serves it.</summary>
    MqttNet,
}

/// <summary>How to reach a broker and what to be there.</summary>
public sealed record MqttOptions
{
    /// <summary>Host name or address.</summary>
    public required string Host { get; init; }
    /// <summary>TCP port; 8883 is usual with TLS.</summary>
    public required int Port { get; init; }
    /// <summary>Client id, unique at the broker.</summary>
    public required string ClientId { get; init; }
    /// <summary>User name; null for an anonymous connection.</summary>
    public string? User { get; init; }
    /// <summary>Password.</summary>
    public string? Password { get; init; }
    /// <summary>TLS; null for a plain connection.</summary>
    public MqttTls? Tls { get; init; }
    /// <summary>Interval of pings; the broker counts a client as gone after 1.5 of it.</summary>
    public TimeSpan KeepAlive { get; init; } = TimeSpan.FromSeconds(15);
    /// <summary>How long the broker keeps the session and its queue after a disconnect; zero starts clean every time.</summary>
    public TimeSpan SessionExpiry { get; init; } = TimeSpan.Zero;
    /// <summary>Asked before each connection attempt for the Last Will of that connection; null for none.</summary>
    public Func<MqttMessage>? Will { get; init; }
    /// <summary>Topic filters that every connection subscribes to before it counts as connected, from the first one on.</summary>
    public IReadOnlyList<string> Subscriptions { get; init; } = [];
    /// <summary>How long the broker may take from the first packet to its CONNACK, and for each renewed subscription.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(20);
    /// <summary>Capacity of <see cref="MqttConnection.Messages"/>.</summary>
    public int ReceiveQueueLength { get; init; } = 1024;
    /// <summary>First and least pause before a reconnect; it doubles, with jitter, up to <see cref="ReconnectMax"/>.</summary>
    public TimeSpan ReconnectMin { get; init; } = TimeSpan.FromSeconds(1);
    /// <summary>Longest pause before a reconnect.</summary>
    public TimeSpan ReconnectMax { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Checks what would fail on every attempt.</summary>
    /// <exception cref="MqttException">Names the setting, its value and what is allowed.</exception>
    internal void Validate()
    {
        Require(Host.Length > 0, nameof(Host), Host, "a host name or address");
        Require(Port is > 0 and <= 65535, nameof(Port), Port, "1 to 65535");
        Require(ClientId.Length > 0, nameof(ClientId), ClientId, "at least one character");
        Require(Password is null || User is not null, nameof(Password), "(set)", "a password only beside a user");
        Require(KeepAlive.TotalSeconds is >= 5 and <= 65535, nameof(KeepAlive), KeepAlive, "5 s to 65535 s");
        Require(SessionExpiry >= TimeSpan.Zero, nameof(SessionExpiry), SessionExpiry, "zero or more");
        Require(ConnectTimeout > TimeSpan.Zero, nameof(ConnectTimeout), ConnectTimeout, "more than zero");
        Require(ReceiveQueueLength > 0, nameof(ReceiveQueueLength), ReceiveQueueLength, "at least 1");
        Require(ReconnectMin > TimeSpan.Zero, nameof(ReconnectMin), ReconnectMin, "more than zero");
        Require(ReconnectMax >= ReconnectMin, nameof(ReconnectMax), ReconnectMax, $"at least {nameof(ReconnectMin)}, {ReconnectMin}");
        Require(Tls is null || (Tls.CertificateFile is null) == (Tls.KeyFile is null), nameof(Tls), Tls?.CertificateFile ?? Tls?.KeyFile,
            "a client certificate and its key together");
    }

    private static void Require(bool holds, string setting, object? value, string allowed)
    {
        if (!holds)
            throw new MqttException($"MQTT setting {setting} is {value}; allowed: {allowed}");
    }
}

/// <summary>TLS of an MQTT connection. The broker's certificate is always checked, its host name included.</summary>
public sealed record MqttTls
{
    /// <summary>PEM file of the authorities to trust; null for the system's.</summary>
    public string? CaFile { get; init; }
    /// <summary>PEM file of a client certificate; null for none.</summary>
    public string? CertificateFile { get; init; }
    /// <summary>PEM file of its key.</summary>
    public string? KeyFile { get; init; }
}

/// <summary>A publish or subscribe that did not go through, or a setting that cannot work.</summary>
public sealed class MqttException(string message, int? reasonCode = null, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>The broker's MQTT 5 reason code, such as 0x87 not authorised; null when the broker did not answer.</summary>
    public int? ReasonCode { get; } = reasonCode;
}
