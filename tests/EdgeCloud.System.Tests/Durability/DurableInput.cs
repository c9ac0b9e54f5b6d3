using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.SystemTests.Durability;

/// <summary>A recording to be recorded: several topics, sizes from nothing to over a chunk, every message different from every other.</summary>
internal static class DurableInput
{
    private const ulong StartNs = 1_700_000_000_000_000_000;

    /// <summary>Writes it; the messages lie in order of log time, 1 ms apart.</summary>
    public static void Write(string path, int messages, int seed, int meanBytes = 2000)
    {
        var random = new Random(seed);
        using var writer = new McapWriter(File.Create(path), new McapWriterOptions { Profile = "ros2" });
        var schema = writer.AddSchema("demo/msg/Bytes", "ros2msg", "uint8[] data\n"u8.ToArray());
        var channels = Enumerable.Range(0, 6).Select(i => writer.AddChannel(schema.Id, $"/topic{i}", "cdr", new Dictionary<string, string>())).ToArray();
        for (uint i = 0; i < messages; i++)
        {
            var data = new byte[i % 1000 == 999 ? 1_500_000 : random.Next(2 * meanBytes)];
            random.NextBytes(data.AsSpan(data.Length / 2));
            var time = StartNs + i * 1_000_000UL;
            writer.WriteMessage(channels[random.Next(channels.Length)].Id, i, time, time - 17, data);
        }
        writer.Finish();
    }
}
