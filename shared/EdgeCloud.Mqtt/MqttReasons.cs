using System.Globalization;

namespace EdgeCloud.Mqtt;

/// <summary>MQTT 5 reason codes (section 2.4): 0x80 and above are errors.</summary>
internal static class MqttReasons
{
    public const int ProtocolError = 0x82;
    public const int NotAuthorized = 0x87;

    public static bool IsError(int code) => code >= 0x80;

    /// <summary>Words and number, such as "not authorized (0x87)".</summary>
    public static string Describe(int code) =>
        string.Create(CultureInfo.InvariantCulture, $"{Words(code)} (0x{code:X2})");

    public static MqttException RefusedConnection(int code) =>
        new($"the broker refused the connection: {Describe(code)}", code);

    public static MqttException RefusedPublish(string topic, int code) =>
        new($"the broker refused the message on {topic}: {Describe(code)}", code);

    public static MqttException RefusedSubscription(string filter, int code) =>
        new($"the broker refused the subscription to {filter}: {Describe(code)}", code);

    private static string Words(int code) => code switch
    {
        0x00 => "success",
        0x04 => "disconnected with the Will",
        0x10 => "no matching subscribers",
        0x80 => "unspecified error",
        0x81 => "malformed packet",
        ProtocolError => "protocol error",
        0x83 => "implementation specific error",
        0x84 => "protocol version not supported",
        0x85 => "client id not valid",
        0x86 => "bad user name or password",
        NotAuthorized => "not authorized",
        0x88 => "server unavailable",
        0x89 => "server busy",
        0x8A => "banned",
        0x8B => "server shutting down",
        0x8C => "bad authentication method",
        0x8D => "keep alive timeout",
        0x8E => "another client took the session over with this client id",
        0x8F => "topic filter not valid",
        0x90 => "topic name not valid",
        0x91 => "packet id in use",
        0x93 => "receive maximum exceeded",
        0x94 => "topic alias not valid",
        0x95 => "packet too large",
        0x96 => "message rate too high",
        0x97 => "quota exceeded",
        0x98 => "closed by an administrator",
        0x99 => "payload format not valid",
        0x9A => "retained messages not supported",
        0x9B => "QoS not supported",
        0x9C => "use another server",
        0x9D => "server moved",
        0x9E => "shared subscriptions not supported",
        0x9F => "connection rate exceeded",
        0xA0 => "maximum connect time reached",
        0xA1 => "subscription identifiers not supported",
        0xA2 => "wildcard subscriptions not supported",
        _ => "unknown reason",
    };
}
