using System.Runtime.InteropServices;

namespace EdgeCloud.Mqtt.Libmosquitto;

/// <summary>
/// The part of <c>mosquitto.h</c> (2.0) that a link needs. The library is used with an event loop of ours and from one thread per
/// handle, so none of its own threads or locks are at work.
/// </summary>
internal static unsafe partial class NativeMosquitto
{
    private const string Library = "libmosquitto.so.1";

    // enum mosq_err_t
    public const int Success = 0;
    public const int ErrInvalid = 3;
    public const int ErrConnectionLost = 7;
    public const int ErrTls = 8;
    public const int ErrErrno = 14;
    public const int ErrAddressInfo = 15;
    public const int ErrKeepAlive = 19;

    // enum mosq_opt_t
    public const int OptProtocolVersion = 1;
    public const int OptTcpNoDelay = 11;
    public const int OptTlsUseOsCertificates = 13;

    // mqtt_protocol.h
    public const int ProtocolVersion5 = 5;
    public const int PropertyMessageExpiryInterval = 2;
    public const int PropertySessionExpiryInterval = 17;

    public const int LogWarning = 1 << 2;
    public const int LogError = 1 << 3;

    private static readonly Lazy<bool> Loaded = new(Initialise);

    /// <summary>Loads and initialises the library once per process.</summary>
    /// <exception cref="MqttException">It is missing, or older than 2.0.</exception>
    public static void Load() => _ = Loaded.Value;

    private static bool Initialise()
    {
        try
        {
            int major, minor, revision;
            LibVersion(&major, &minor, &revision);
            if (major < 2)
                throw new MqttException($"{Library} is version {major}.{minor}.{revision}; 2.0 or later is needed");
            LibInit();
            return true;
        }
        catch (DllNotFoundException e)
        {
            throw new MqttException($"{Library} is not on this system; install it (apt-get install libmosquitto1)", null, e);
        }
    }

    /// <summary>Words for a <c>mosq_err_t</c>.</summary>
    public static string Describe(int error) => Marshal.PtrToStringUTF8(StrError(error)) ?? $"libmosquitto error {error}";

    /// <summary><c>struct mosquitto_message</c>.</summary>
    [StructLayout(LayoutKind.Sequential)]
    public struct Message
    {
        public int MessageId;
        public byte* Topic;
        public byte* Payload;
        public int PayloadLength;
        public int QoS;
        public byte Retain;
    }

    [LibraryImport(Library, EntryPoint = "mosquitto_lib_version")]
    private static partial int LibVersion(int* major, int* minor, int* revision);

    [LibraryImport(Library, EntryPoint = "mosquitto_lib_init")]
    private static partial int LibInit();

    [LibraryImport(Library, EntryPoint = "mosquitto_strerror")]
    private static partial nint StrError(int error);

    [LibraryImport(Library, EntryPoint = "mosquitto_new", StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint New(string clientId, byte cleanStart, nint owner);

    [LibraryImport(Library, EntryPoint = "mosquitto_destroy")]
    public static partial void Destroy(nint mosquitto);

    [LibraryImport(Library, EntryPoint = "mosquitto_int_option")]
    public static partial int IntOption(nint mosquitto, int option, int value);

    [LibraryImport(Library, EntryPoint = "mosquitto_username_pw_set", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int UserPasswordSet(nint mosquitto, string? user, string? password);

    [LibraryImport(Library, EntryPoint = "mosquitto_tls_set", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int TlsSet(
        nint mosquitto, string? caFile, string? caPath, string? certificateFile, string? keyFile, nint passwordCallback);

    [LibraryImport(Library, EntryPoint = "mosquitto_will_set_v5", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int WillSet(nint mosquitto, string topic, int length, byte* payload, int qos, byte retain, nint properties);

    [LibraryImport(Library, EntryPoint = "mosquitto_connect_bind_v5", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int ConnectBlocking(nint mosquitto, string host, int port, int keepAlive, nint bindAddress, nint properties);

    [LibraryImport(Library, EntryPoint = "mosquitto_connect_bind_async", StringMarshalling = StringMarshalling.Utf8, SetLastError = true)]
    public static partial int ConnectAsync(nint mosquitto, string host, int port, int keepAlive, string? bindAddress);

    [LibraryImport(Library, EntryPoint = "mosquitto_disconnect_v5")]
    public static partial int Disconnect(nint mosquitto, int reasonCode, nint properties);

    [LibraryImport(Library, EntryPoint = "mosquitto_publish_v5", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Publish(
        nint mosquitto, int* messageId, string topic, int length, byte* payload, int qos, byte retain, nint properties);

    [LibraryImport(Library, EntryPoint = "mosquitto_subscribe_v5", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Subscribe(nint mosquitto, int* messageId, string filter, int qos, int options, nint properties);

    [LibraryImport(Library, EntryPoint = "mosquitto_socket")]
    public static partial int Socket(nint mosquitto);

    [LibraryImport(Library, EntryPoint = "mosquitto_want_write")]
    public static partial byte WantWrite(nint mosquitto);

    [LibraryImport(Library, EntryPoint = "mosquitto_loop_read", SetLastError = true)]
    public static partial int LoopRead(nint mosquitto, int packets);

    [LibraryImport(Library, EntryPoint = "mosquitto_loop_write", SetLastError = true)]
    public static partial int LoopWrite(nint mosquitto, int packets);

    [LibraryImport(Library, EntryPoint = "mosquitto_loop_misc")]
    public static partial int LoopMisc(nint mosquitto);

    [LibraryImport(Library, EntryPoint = "mosquitto_property_add_int32")]
    public static partial int PropertyAddInt32(nint* properties, int identifier, uint value);

    [LibraryImport(Library, EntryPoint = "mosquitto_property_read_int32")]
    public static partial nint PropertyReadInt32(nint properties, int identifier, uint* value, byte skipFirst);

    [LibraryImport(Library, EntryPoint = "mosquitto_property_free_all")]
    public static partial void PropertyFreeAll(nint* properties);

    [LibraryImport(Library, EntryPoint = "mosquitto_connect_v5_callback_set")]
    public static partial void OnConnect(nint mosquitto, delegate* unmanaged[Cdecl]<nint, nint, int, int, nint, void> callback);

    [LibraryImport(Library, EntryPoint = "mosquitto_disconnect_v5_callback_set")]
    public static partial void OnDisconnect(nint mosquitto, delegate* unmanaged[Cdecl]<nint, nint, int, nint, void> callback);

    [LibraryImport(Library, EntryPoint = "mosquitto_publish_v5_callback_set")]
    public static partial void OnPublish(nint mosquitto, delegate* unmanaged[Cdecl]<nint, nint, int, int, nint, void> callback);

    [LibraryImport(Library, EntryPoint = "mosquitto_subscribe_v5_callback_set")]
    public static partial void OnSubscribe(nint mosquitto, delegate* unmanaged[Cdecl]<nint, nint, int, int, int*, nint, void> callback);

    [LibraryImport(Library, EntryPoint = "mosquitto_message_v5_callback_set")]
    public static partial void OnMessage(nint mosquitto, delegate* unmanaged[Cdecl]<nint, nint, Message*, nint, void> callback);

    [LibraryImport(Library, EntryPoint = "mosquitto_log_callback_set")]
    public static partial void OnLog(nint mosquitto, delegate* unmanaged[Cdecl]<nint, nint, int, byte*, void> callback);
}
