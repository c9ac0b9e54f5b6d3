using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace EdgeCloud.Mqtt.Libmosquitto;

/// <summary>
/// Waits for a socket or for a wake-up from another thread, with poll(2) and eventfd(2): libmosquitto's own loop uses select(2), which
/// fails in a process with more than 1024 descriptors, and cannot be woken for work that is not its own.
/// </summary>
internal sealed unsafe partial class Polling : IDisposable
{
    public const short In = 0x001;
    public const short Out = 0x004;
    public const short Error = 0x008;
    public const short HangUp = 0x010;
    public const short PeerClosed = 0x2000;

    private const int EventNonBlocking = 0x800;
    private const int EventCloseOnExec = 0x80000;
    private const int ErrnoInterrupted = 4;

    private readonly SafeFileHandle _event;

    public Polling()
    {
        _event = EventFd(0, EventCloseOnExec | EventNonBlocking);
        if (_event.IsInvalid)
            throw new MqttException($"no descriptor for the MQTT loop: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Ends the current or next <see cref="Wait"/>; from any thread, and without effect after disposal.</summary>
    public void Wake()
    {
        try
        {
            ulong one = 1;
            _ = Write(_event, &one, sizeof(ulong));
        }
        catch (ObjectDisposedException)
        {
            // The loop has ended: whoever it served has been answered.
        }
    }

    /// <summary>Waits at most <paramref name="milliseconds"/>; returns what happened on <paramref name="socket"/>, 0 for nothing.</summary>
    public short Wait(int socket, short events, int milliseconds)
    {
        var descriptors = stackalloc PollDescriptor[2];
        descriptors[0] = new PollDescriptor { Descriptor = socket, Events = events };
        descriptors[1] = new PollDescriptor { Descriptor = (int)_event.DangerousGetHandle(), Events = In };
        if (Poll(descriptors, 2, milliseconds) < 0)
        {
            var errno = Marshal.GetLastPInvokeError();
            return errno == ErrnoInterrupted ? (short)0 : throw new MqttException($"poll: {Marshal.GetPInvokeErrorMessage(errno)}");
        }
        if (descriptors[1].Happened != 0)
        {
            ulong count;
            _ = Read(_event, &count, sizeof(ulong));
        }
        return descriptors[0].Happened;
    }

    /// <summary>The pending error of a socket (SO_ERROR), in words.</summary>
    public static string SocketError(int socket)
    {
        const int socketLevel = 1, errorOption = 4;
        int errno = 0, length = sizeof(int);
        return GetSocketOption(socket, socketLevel, errorOption, &errno, &length) == 0 && errno != 0
            ? Marshal.GetPInvokeErrorMessage(errno)
            : "it refuses connections on this port or cannot be reached"; // the error was taken by the first attempt to write
    }

    public void Dispose() => _event.Dispose();

    [StructLayout(LayoutKind.Sequential)]
    private struct PollDescriptor
    {
        public int Descriptor;
        public short Events;
        public short Happened;
    }

    [LibraryImport("libc", EntryPoint = "eventfd", SetLastError = true)]
    private static partial SafeFileHandle EventFd(uint initial, int flags);

    [LibraryImport("libc", EntryPoint = "write")]
    private static partial nint Write(SafeFileHandle descriptor, ulong* value, nuint size);

    [LibraryImport("libc", EntryPoint = "read")]
    private static partial nint Read(SafeFileHandle descriptor, ulong* value, nuint size);

    [LibraryImport("libc", EntryPoint = "poll", SetLastError = true)]
    private static partial int Poll(PollDescriptor* descriptors, nuint count, int milliseconds);

    [LibraryImport("libc", EntryPoint = "getsockopt")]
    private static partial int GetSocketOption(int socket, int level, int option, int* value, int* length);
}
