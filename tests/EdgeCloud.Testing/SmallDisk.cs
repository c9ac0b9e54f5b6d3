using System.Diagnostics;
using Xunit;

namespace EdgeCloud.Testing;

/// <summary>A small file system of the test's own, in memory.</summary>
public sealed class SmallDisk : IDisposable
{
    private SmallDisk(string path) => Path = path;

    /// <summary>Where it is mounted.</summary>
    public string Path { get; }

    /// <summary>Mounts it at a folder, which is created. Skips the test where that is not allowed.</summary>
    public static SmallDisk Mount(string path, string size)
    {
        Directory.CreateDirectory(path);
        if (Run("mount", "-t", "tmpfs", "-o", $"size={size}", "tmpfs", path) is { Length: > 0 } error)
            Assert.Skip($"A small file system cannot be mounted here ({error}); this test needs to be root.");
        return new SmallDisk(path);
    }

    /// <summary>Takes all that is free, to the last byte, into a file that may be there.</summary>
    public void Fill(string file)
    {
        using var stream = new FileStream(file, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var block = new byte[4096];
        try
        {
            while (true)
                stream.Write(block);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>Leaves so many bytes free, and takes the others into a new file.</summary>
    public void FillBut(long bytes, string file)
    {
        using var stream = File.Create(file);
        var left = new DriveInfo(Path).AvailableFreeSpace - bytes;
        for (var block = new byte[1 << 20]; left > 0; left -= block.Length)
            stream.Write(block);
    }

    /// <inheritdoc/>
    public void Dispose() => Run("umount", "-l", Path);

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? "" : error.Trim();
    }
}
