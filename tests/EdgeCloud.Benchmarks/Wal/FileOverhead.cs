using EdgeCloud.Agent.Wal;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Benchmarks.Wal;

/// <summary>What a sealed segment takes beside its payloads, and how large its chunks are.</summary>
internal static class FileOverhead
{
    private const int Channels = 20;

    public static void Measure(string folder, int rounds)
    {
        foreach (var payload in new[] { 100, 1000, 10_000 })
        {
            foreach (var old in Directory.GetFiles(folder))
                File.Delete(old);
            var log = new SegmentLog(folder, 1, new SegmentLogOptions { Compression = McapCompression.None });
            var channels = Enumerable.Range(0, Channels).Select(i => log.AddChannel(new ChannelDefinition { Topic = $"/topic{i}", MessageEncoding = "cdr" })).ToArray();
            var data = new byte[payload];
            for (long i = 0; i < 150_000_000 / payload; i++)
            {
                while (!log.TryAppend(channels[i % Channels], (uint)i, (ulong)i, (ulong)i, data))
                    log.WaitForRoomAsync(payload).Wait();
            }
            log.FinishAsync().Wait();
            var segments = new List<SealedSegment>();
            while (log.Sealed.TryRead(out var segment))
                segments.Add(segment);
            log.DisposeAsync().AsTask().Wait();
            Console.WriteLine($"  {payload,6} B: {Describe(segments, payload)}");
        }
    }

    private static string Describe(List<SealedSegment> segments, int payload)
    {
        var messages = segments.Sum(s => s.Facts.Messages);
        var chunks = segments.Sum(s => s.Chunks);
        var commits = segments.Sum(s => s.CommitOverheadBytes);
        var bytes = segments.Sum(s => s.Bytes) - messages * payload;
        var allowed = 47 * messages + (130 + 25L * Channels) * chunks;
        var median = MedianChunk(segments[0].Path);
        Targets.AtMost($"overhead of {payload} B, of what is allowed", (double)(bytes - commits) / allowed, 1, "x");
        Targets.AtLeast($"median chunk of {payload} B", median / 1024.0, 1024, "KiB");
        return $"{(double)(bytes - commits) / messages:0.00} B per message beside its payload; {bytes - commits} B of {allowed} B allowed for {messages} messages in {chunks} chunks "
            + $"({(double)(bytes - commits) / allowed:0.00}x); commit records and padding {(double)commits / messages:0.00} B per message; median chunk {median / 1024} KiB";
    }

    private static ulong MedianChunk(string path)
    {
        var reader = McapIndexedReader.OpenAsync(path).AsTask().GetAwaiter().GetResult();
        var sizes = reader.Summary.ChunkIndexes.Select(c => c.UncompressedSize).Order().ToList();
        reader.DisposeAsync().AsTask().Wait();
        return sizes[sizes.Count / 2];
    }
}
