using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Mqtt;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>The section <c>Mqtt</c> of the configuration.</summary>
internal static class MqttSettings
{
    /// <summary>
    /// State comes to every replica (MQTT 5 sends no retained messages to shared subscriptions); the rest to one of them.
    /// </summary>
    private static readonly string[] Subscriptions =
    [
        MqttTopics.AllRobots(MqttTopicKind.State),
        MqttTopics.SharedByReplicas(MqttTopicKind.Telemetry),
        MqttTopics.SharedByReplicas(MqttTopicKind.Manifest),
        MqttTopics.SharedByReplicas(MqttTopicKind.CommandAck),
        MqttTopics.SharedByReplicas(MqttTopicKind.Log),
    ];

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="ConfigurationException">A key is missing or wrong; the message names it.</exception>
    public static MqttOptions Read(IConfiguration configuration)
    {
        var ca = configuration["Mqtt:Tls:CaFile"];
        if (!string.IsNullOrEmpty(ca) && !File.Exists(ca))
            throw new ConfigurationException($"Mqtt:Tls:CaFile is '{ca}'; there is no such file.");
        var useTls = configuration.GetValue("Mqtt:Tls:Enabled", !string.IsNullOrEmpty(ca));
        return new MqttOptions
        {
            Host = configuration.Require("Mqtt:Host", "the MQTT broker's host name"),
            Port = configuration.Number("Mqtt:Port", useTls ? 8883 : 1883, 1, 65535),
            // Every replica, and every start of one, is a client of its own: what was missed meanwhile is told again.
            ClientId = $"controlplane-{Guid.CreateVersion7():N}",
            User = configuration["Mqtt:User"],
            Password = configuration["Mqtt:Password"],
            Tls = useTls ? new MqttTls { CaFile = string.IsNullOrEmpty(ca) ? null : ca } : null,
            ReconnectMax = TimeSpan.FromSeconds(10),
            ReceiveQueueLength = 16 * 1024,
            Subscriptions = Subscriptions,
        };
    }
}
