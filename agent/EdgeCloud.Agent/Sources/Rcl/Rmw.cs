using System.Runtime.InteropServices;
using Rosidl.Runtime;

namespace EdgeCloud.Agent.Sources.Rcl;

/// <summary>What is needed of the installed ROS 2 beside Rcl.NET: type support by name, and messages back into bytes.</summary>
internal static unsafe partial class Rmw
{
    [StructLayout(LayoutKind.Sequential)]
    private struct Allocator
    {
        public nint Allocate, Deallocate, Reallocate, ZeroAllocate, State;
    }

    /// <summary>rcutils_uint8_array_t.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct ByteArray
    {
        public byte* Buffer;
        public nuint Length;
        public nuint Capacity;
        public Allocator Allocator;
    }

    /// <summary>
    /// What is wrong with the two variables beside the installed libraries, and would end the process: rcl leaves by <c>exit</c> without its
    /// RMW, and Rcl.NET lays out memory by the distribution's name. Null when nothing is.
    /// </summary>
    public static string? Misfit(string? rmw, string distribution)
    {
        if (!string.IsNullOrEmpty(rmw) && !NativeLibrary.TryLoad($"lib{rmw}.so", out _))
            return $"RMW_IMPLEMENTATION is {rmw}, and lib{rmw}.so cannot be loaded";
        // Distributions know hashes of types since iron, which is also when the identifiers of endpoints became shorter.
        if (distribution.Length == 0 || !NativeLibrary.TryLoad("librosidl_runtime_c.so", out var runtime))
            return null;
        var isOld = !NativeLibrary.TryGetExport(runtime, "rosidl_stringify_type_hash", out _);
        return isOld != (distribution is "foxy" or "humble")
            ? $"ROS_DISTRO is {distribution}, and the libraries that are found are of another distribution"
            : null;
    }

    /// <summary>The type support of a message type; null when its package is not installed.</summary>
    /// <param name="type">Such as <c>sensor_msgs/msg/Imu</c>.</param>
    public static TypeSupportHandle? FindType(string type)
    {
        var parts = type.Split('/');
        if (parts.Length != 3
            || !NativeLibrary.TryLoad($"lib{parts[0]}__rosidl_typesupport_c.so", out var library)
            || !NativeLibrary.TryGetExport(
                library, $"rosidl_typesupport_c__get_message_type_support_handle__{parts[0]}__{parts[1]}__{parts[2]}", out var get))
            return null;
        return new TypeSupportHandle(((delegate* unmanaged<nint>)get)(), HandleType.Message);
    }

    /// <summary>
    /// Serialises native messages into a buffer of its own. Used by one thread at a time. FastDDS leaves out the bytes between aligned fields,
    /// so the buffer is zero before each message: else equal messages had different bytes, and those of others in between.
    /// </summary>
    public sealed class Serializer : IDisposable
    {
        private readonly ByteArray* _array;

        /// <summary>Bytes of the buffer that may not be zero.</summary>
        private nuint _used;

        public Serializer()
        {
            _array = (ByteArray*)NativeMemory.AllocZeroed((nuint)sizeof(ByteArray));
            var allocator = DefaultAllocator();
            Check(InitArray(_array, 1 << 16, &allocator), "rcutils_uint8_array_init");
            _used = _array->Capacity;
        }

        /// <summary>The message as CDR with its encapsulation header; valid until the next call.</summary>
        public ReadOnlySpan<byte> Serialize(nint message, TypeSupportHandle type)
        {
            var capacity = _array->Capacity;
            SerializeIntoZeros(message, type);
            if (_array->Capacity != capacity)
            {
                // What a buffer grows by is not zero.
                _used = _array->Capacity;
                SerializeIntoZeros(message, type);
            }
            return new ReadOnlySpan<byte>(_array->Buffer, checked((int)_array->Length));
        }

        private void SerializeIntoZeros(nint message, TypeSupportHandle type)
        {
            NativeMemory.Clear(_array->Buffer, _used);
            var code = SerializeMessage(message, type.GetMessageTypeSupport(), _array);
            _used = code == 0 ? _array->Length : _array->Capacity;
            Check(code, "rmw_serialize");
        }

        public void Dispose()
        {
            FreeArray(_array);
            NativeMemory.Free(_array);
        }

        private static void Check(int code, string call)
        {
            if (code == 0)
                return;
            ResetError();
            throw new SourceException($"{call} failed with code {code}");
        }
    }

    [LibraryImport("librcutils.so", EntryPoint = "rcutils_get_default_allocator")]
    private static partial Allocator DefaultAllocator();

    [LibraryImport("librcutils.so", EntryPoint = "rcutils_reset_error")]
    private static partial void ResetError();

    [LibraryImport("librcutils.so", EntryPoint = "rcutils_uint8_array_init")]
    private static partial int InitArray(ByteArray* array, nuint capacity, Allocator* allocator);

    [LibraryImport("librcutils.so", EntryPoint = "rcutils_uint8_array_fini")]
    private static partial int FreeArray(ByteArray* array);

    [LibraryImport("librmw_implementation.so", EntryPoint = "rmw_serialize")]
    private static partial int SerializeMessage(nint message, void* typeSupport, ByteArray* serialized);
}
