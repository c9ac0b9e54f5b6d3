namespace EdgeCloud.Mqtt;

/// <summary>A message as sent or received.</summary>
public sealed record MqttMessage
{
    /// <summary>Topic.</summary>
    public required string Topic { get; init; }
    /// <summary>Payload, owned by the message.</summary>
    public required ReadOnlyMemory<byte> Payload { get; init; }
    /// <summary>Kept by the broker for later subscribers; on arrival true only when it was kept.</summary>
    public bool Retain { get; init; }
    /// <summary>After how long the broker drops it undelivered; null means never.</summary>
    public TimeSpan? Expiry { get; init; }
}

/// <summary>A change of the connection.</summary>
/// <param name="State">What the connection is now.</param>
/// <param name="Reason">The broker's or the network's words; empty when connected.</param>
public readonly record struct MqttConnectionChange(MqttConnectionState State, string Reason);

/// <summary>See <see cref="MqttConnectionChange"/>.</summary>
public enum MqttConnectionState
{
    /// <summary>CONNACK with success, subscriptions made again.</summary>
    Connected,
    /// <summary>The connection was lost or could not be made; it is tried again.</summary>
    Lost,
    /// <summary>The broker said no (bad user or password, not authorised); it is tried again, slowly.</summary>
    Refused,
}
