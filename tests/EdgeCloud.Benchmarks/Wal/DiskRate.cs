using System.Diagnostics;
using EdgeCloud.Agent.Wal;

namespace EdgeCloud.Benchmarks.Wal;

/// <summary>What the disk itself gives.</summary>
internal static unsafe class DiskRate
{
    /// <summary>Bytes per second of direct sequential writes of whole blocks into reserved files of 64 MiB, with a sync after so many blocks.</summary>
    public static double Write(string folder, int block, long bytes, int blocksPerSync)
    {
        Directory.CreateDirectory(folder);
        foreach (var old in Directory.GetFiles(folder)) File.Delete(old);
        var files = new LinuxFiles();
        // Not one block over and over: it would stay in the processor's cache.
        var buffers = Math.Max(1, (32 << 20) / block);
        var bufferBytes = PageMemory.Rounded((nuint)buffers * (nuint)block);
        var buffer = PageMemory.AllocateHuge(bufferBytes); // as the log's own: the disk is faster with it
        for (var i = 0; i < buffers; i++) new Random(i).NextBytes(new Span<byte>(buffer + (long)i * block, block));
        const int fileBytes = 64 << 20;
        var start = Stopwatch.GetTimestamp();
        long written = 0;
        for (var number = 0; written < bytes; number++)
        {
            using var file = files.Create(Path.Combine(folder, $"{number}"), fileBytes);
            files.SyncDirectory(folder);
            for (long offset = 0, blocks = 1; offset + block <= fileBytes && written < bytes; offset += block, written += block, blocks++)
            {
                file.Write(offset, [new MemoryPiece(buffer + written / block % buffers * block, block)]);
                if (blocksPerSync > 0 && blocks % blocksPerSync == 0) file.Sync();
            }

            file.Sync();
        }

        var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
        PageMemory.Free(buffer, bufferBytes);
        return written / seconds;
    }
}
