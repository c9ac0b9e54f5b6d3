using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Win32.SafeHandles;

namespace EdgeCloud.Agent;

/// <summary>
/// Small JSON files that are either whole or absent, whatever the moment of a power cut: written under another name, synced, renamed,
/// and the folder synced. When a call returns, the contents survive.
/// </summary>
internal static partial class DurableFile
{
    /// <summary>Ending of a file that is being written; one that is found at start is the leftover of a crash.</summary>
    public const string TemporarySuffix = ".tmp";

    /// <summary>Replaces <paramref name="path"/>. One writer per path at a time.</summary>
    public static void Write<T>(string path, T value, JsonTypeInfo<T> type) =>
        Replace(path, file => JsonSerializer.Serialize(file, value, type));

    /// <summary>Replaces <paramref name="path"/> by JSON that is written already. One writer per path at a time.</summary>
    public static void Write(string path, byte[] json) => Replace(path, file => file.Write(json));

    private static void Replace(string path, Action<FileStream> write)
    {
        var temporary = path + TemporarySuffix;
        using (var file = new FileStream(temporary, FileMode.Create, FileAccess.Write, FileShare.None))
        {
            write(file);
            file.Flush(flushToDisk: true);
        }
        File.Move(temporary, path, overwrite: true);
        SyncDirectory(Path.GetDirectoryName(path)!);
    }

    /// <summary>Reads <paramref name="path"/>; null when there is no such file.</summary>
    /// <exception cref="StateFileException">The file is there and is not what it should be.</exception>
    public static T? Read<T>(string path, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            // From memory: a start reads thousands of them, and through a stream each would cost several times as much.
            return JsonSerializer.Deserialize(File.ReadAllBytes(path), type) ?? throw new StateFileException($"{path} holds the word null");
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (JsonException e)
        {
            throw new StateFileException($"{path} is damaged: {e.Message}", e);
        }
    }

    /// <summary>Makes the names in a folder durable.</summary>
    public static void SyncDirectory(string directory)
    {
        using var handle = Open(directory, 0, 0);
        if (handle.IsInvalid || FSync(handle) != 0)
            throw new IOException($"The folder {directory} cannot be synced: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial SafeFileHandle Open(string path, int flags, int mode);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);
}

/// <summary>A file of the agent's own memory that cannot be used.</summary>
internal sealed class StateFileException(string message, Exception? inner = null) : Exception(message, inner);
