using System.Runtime.InteropServices;
using System.Text;

namespace EdgeCloud.Agent.Sources.Dds;

/// <summary>The C library <c>libcdrtap.so</c>: see <c>agent/native/cdrtap/cdrtap.h</c>, whose structures these are.</summary>
internal static unsafe partial class Cdrtap
{
    public const int EndpointsFlag = 0x40000000;
    public const uint Data = 0, NoData = 1, NoMemory = 2;

    private const string Library = "libcdrtap";

    [StructLayout(LayoutKind.Sequential)]
    public struct Sample
    {
        public ulong Writer;
        public ulong Sequence;
        public long SourceNs;
        public long ReceivedNs;
        public byte* Bytes;
        public uint Size;
        public uint Reader;
        public uint State;
        public uint Reserved;
        public nint Owner;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Endpoint
    {
        public ulong Handle;
        public byte* Topic;
        public byte* Type;
        public byte* Partitions;
        public byte* UserData;
        public ulong UserDataSize;
        public long DeadlineNs, LifespanNs, LeaseNs;
        public int Reliable, Durability, KeepAll, Depth, Liveliness, Exclusive;
        public fixed byte Guid[16];
        public int Alive;
        public int Reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    public struct Request
    {
        public byte* Topic;
        public byte* Type;
        public byte* Partitions;
        public byte* UserData;
        public ulong UserDataSize;
        public long DeadlineNs, LeaseNs;
        public int Keyed, Reliable, Durability, KeepAll, Depth, Liveliness, Exclusive;
        public int Reserved;
    }

    /// <summary>Loads the library and lets it compare itself with the CycloneDDS that it finds.</summary>
    /// <exception cref="SourceException">It is not there or does not fit, and how to get it.</exception>
    public static void Load()
    {
        const string HowToGet = "install CycloneDDS 0.10 (Debian: apt-get install libddsc0debian), or the agent's package, which brings it along";
        try
        {
            var reason = stackalloc byte[256];
            if (Check(reason, 256) != 0)
                throw new SourceException($"libcdrtap.so was {Text(reason)}: build the agent against the installed CycloneDDS, or {HowToGet}");
        }
        catch (DllNotFoundException e)
        {
            var file = Path.Combine(AppContext.BaseDirectory, "libcdrtap.so");
            throw new SourceException(File.Exists(file)
                ? $"{file} cannot be loaded ({LastLine(e.Message)}): {HowToGet}"
                : $"{file} is missing: this agent was built without it. Install the headers (Debian: apt-get install cyclonedds-dev gcc) and build again", e);
        }
        catch (EntryPointNotFoundException e)
        {
            throw new SourceException($"libcdrtap.so is of another version than this agent ({e.Message}): build both together", e);
        }
    }

    /// <summary>The words for an error code.</summary>
    public static string Error(int code) => Text(ErrorText(code));

    /// <summary>What CycloneDDS logged since the last call, a line each.</summary>
    public static string[] Log()
    {
        var buffer = stackalloc byte[8192];
        var size = (int)Log(buffer, 8192);
        return size == 0 ? [] : Encoding.UTF8.GetString(buffer, size).Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
    }

    public static string Text(byte* zeroEnded) => Marshal.PtrToStringUTF8((nint)zeroEnded) ?? "";

    private static string LastLine(string message) => message.Split('\n', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)[0];

    [LibraryImport(Library, EntryPoint = "cdrtap_check")]
    private static partial int Check(byte* reason, nuint size);

    [LibraryImport(Library, EntryPoint = "cdrtap_open", StringMarshalling = StringMarshalling.Utf8)]
    public static partial int Open(uint domain, string configuration, ulong waitingBytes, out nint tap);

    [LibraryImport(Library, EntryPoint = "cdrtap_close")]
    public static partial void Close(nint tap);

    [LibraryImport(Library, EntryPoint = "cdrtap_endpoints")]
    public static partial int Endpoints(nint tap, Endpoint* endpoints, uint max);

    [LibraryImport(Library, EntryPoint = "cdrtap_return_endpoints")]
    public static partial void ReturnEndpoints(nint tap);

    [LibraryImport(Library, EntryPoint = "cdrtap_subscribe")]
    public static partial int Subscribe(nint tap, Request* request, int held);

    [LibraryImport(Library, EntryPoint = "cdrtap_unsubscribe")]
    public static partial void Unsubscribe(nint tap, uint reader);

    [LibraryImport(Library, EntryPoint = "cdrtap_unhold")]
    public static partial void Unhold(nint tap, uint reader);

    [LibraryImport(Library, EntryPoint = "cdrtap_matched")]
    public static partial int Matched(nint tap, uint reader, ulong writer);

    [LibraryImport(Library, EntryPoint = "cdrtap_take")]
    public static partial int Take(nint tap, Sample* samples, uint max, uint waitMs, uint gatherUs);

    [LibraryImport(Library, EntryPoint = "cdrtap_take_from")]
    public static partial int TakeFrom(nint tap, uint reader, Sample* samples, uint max);

    [LibraryImport(Library, EntryPoint = "cdrtap_release")]
    public static partial void Release(Sample* samples, uint count);

    [LibraryImport(Library, EntryPoint = "cdrtap_wake")]
    public static partial void Wake(nint tap);

    [LibraryImport(Library, EntryPoint = "cdrtap_error")]
    private static partial byte* ErrorText(int code);

    [LibraryImport(Library, EntryPoint = "cdrtap_log")]
    private static partial uint Log(byte* text, uint size);
}
