using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeCloud.Mqtt.Libmosquitto;

/// <summary>What the library calls, on the link's thread and inside of Read, Write and KeepAlive: notes down and returns.</summary>
internal sealed unsafe partial class MosquittoLink
{
    private readonly Dictionary<int, TaskCompletionSource<int>> _waiting = [];
    private readonly Queue<string> _logged = new();
    private int? _connack;
    private string? _disconnectReason;

    /// <summary>The last errors that the library logged, which say more than its error codes; empty for none.</summary>
    private string LoggedErrors => _logged.Count == 0 ? "" : $" ({string.Join("; ", _logged)})";

    private static void SetCallbacks(MosquittoHandle handle)
    {
        NativeMosquitto.OnConnect(handle.Pointer, &OnConnect);
        NativeMosquitto.OnDisconnect(handle.Pointer, &OnDisconnect);
        NativeMosquitto.OnPublish(handle.Pointer, &OnAcknowledged);
        NativeMosquitto.OnSubscribe(handle.Pointer, &OnSubscribed);
        NativeMosquitto.OnMessage(handle.Pointer, &OnMessage);
        NativeMosquitto.OnLog(handle.Pointer, &OnLog);
    }

    private static MosquittoLink From(nint owner) => (MosquittoLink)GCHandle.FromIntPtr(owner).Target!;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnConnect(nint mosquitto, nint owner, int reasonCode, int flags, nint properties) =>
        From(owner)._connack = reasonCode;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnDisconnect(nint mosquitto, nint owner, int reason, nint properties)
    {
        // Either a mosq_err_t, which the loop reports itself, or the reason code of the broker's DISCONNECT.
        if (MqttReasons.IsError(reason))
            From(owner)._disconnectReason = $"the broker closed the connection: {MqttReasons.Describe(reason)}";
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnAcknowledged(nint mosquitto, nint owner, int packetId, int reasonCode, nint properties) =>
        From(owner).Answer(packetId, reasonCode);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnSubscribed(nint mosquitto, nint owner, int packetId, int count, int* granted, nint properties) =>
        From(owner).Answer(packetId, count == 1 ? granted[0] : MqttReasons.ProtocolError);

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnMessage(nint mosquitto, nint owner, NativeMosquitto.Message* message, nint properties)
    {
        uint seconds;
        var expires = NativeMosquitto.PropertyReadInt32(properties, NativeMosquitto.PropertyMessageExpiryInterval, &seconds, 0) != 0;
        From(owner).Deliver(new MqttMessage
        {
            Topic = Marshal.PtrToStringUTF8((nint)message->Topic) ?? "",
            Payload = new ReadOnlySpan<byte>(message->Payload, message->PayloadLength).ToArray(),
            Retain = message->Retain != 0,
            Expiry = expires ? TimeSpan.FromSeconds(seconds) : null,
        });
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static void OnLog(nint mosquitto, nint owner, int level, byte* text)
    {
        const int kept = 4;
        if (level is not (NativeMosquitto.LogError or NativeMosquitto.LogWarning))
            return;
        var logged = From(owner)._logged;
        logged.Enqueue(Marshal.PtrToStringUTF8((nint)text) ?? "");
        if (logged.Count > kept)
            logged.Dequeue();
    }

    private void Deliver(MqttMessage message) => deliver(message);

    private void Answer(int packetId, int reasonCode)
    {
        if (_waiting.Remove(packetId, out var answer))
            answer.TrySetResult(reasonCode);
    }
}
