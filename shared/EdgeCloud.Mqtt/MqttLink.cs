namespace EdgeCloud.Mqtt;

/// <summary>
/// One connection to the broker from CONNECT to its end, never used twice. <see cref="MqttConnection"/> opens a new one for every
/// attempt, so that nothing of an earlier connection (packets in flight, packet ids, TLS state, Will) reaches a later one.
/// </summary>
internal abstract class MqttLink : IAsyncDisposable
{
    /// <summary>Connects and waits for the CONNACK.</summary>
    /// <exception cref="MqttException">With a reason code when the broker refused, without one when it could not be reached.</exception>
    public abstract Task ConnectAsync(CancellationToken cancellation);

    /// <summary>Completes with the reason when a connection that stood has ended, whoever ended it.</summary>
    public abstract Task<string> Lost { get; }

    /// <summary>Sends at QoS 1 and completes at the PUBACK.</summary>
    /// <exception cref="MqttException">The link ended first, or the PUBACK has an error's reason code.</exception>
    public abstract Task PublishAsync(MqttMessage message, CancellationToken cancellation);

    /// <summary>Subscribes at QoS 1 and completes at the SUBACK.</summary>
    /// <exception cref="MqttException">The link ended first, or the SUBACK has an error's reason code.</exception>
    public abstract Task SubscribeAsync(string filter, CancellationToken cancellation);

    /// <summary>Says DISCONNECT where it can, so that the broker keeps the Will to itself, and releases everything.</summary>
    public abstract ValueTask DisposeAsync();
}
