using System.Reflection;
using System.Runtime.InteropServices;

namespace EdgeCloud.Mcap.Compression;

/// <summary>Finds libzstd and liblz4 under the names that each system gives them.</summary>
internal static class NativeLibraries
{
    internal const string Zstd = "libzstd.so.1";
    internal const string Lz4 = "liblz4.so.1";

    private static readonly Dictionary<string, string[]> OtherNames = new()
    {
        [Zstd] = ["libzstd.1.dylib", "/opt/homebrew/lib/libzstd.1.dylib", "libzstd.dll", "zstd"],
        [Lz4] = ["liblz4.1.dylib", "/opt/homebrew/lib/liblz4.1.dylib", "liblz4.dll", "lz4"],
    };

    static NativeLibraries() => NativeLibrary.SetDllImportResolver(typeof(NativeLibraries).Assembly, Resolve);

    /// <summary>Called by the static constructors of the P/Invoke classes, so that the resolver is in place before the first call.</summary>
    internal static void Register() { }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (NativeLibrary.TryLoad(name, assembly, path, out var handle))
            return handle;
        foreach (var other in OtherNames.GetValueOrDefault(name, []))
        {
            if (NativeLibrary.TryLoad(other, assembly, path, out handle))
                return handle;
        }
        return 0; // the runtime then reports the name that it could not load
    }
}
