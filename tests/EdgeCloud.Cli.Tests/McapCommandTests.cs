using System.Text.Json.Nodes;
using EdgeCloud.Testing;

namespace EdgeCloud.Cli.Tests;

/// <summary><c>edgecloud mcap ...</c>, run as a process on recordings of rosbag2.</summary>
public sealed class McapCommandTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Info_states_counts_times_and_topics()
    {
        var info = JsonNode.Parse((await RunAsync(0, "info", "--json", Recording("basic_types_zstd"))).Output)!;
        Assert.Equal((150, 1), ((int)info["message_count"]!, (int)info["chunk_count"]!));
        Assert.Equal((1_000_000, 100_000_000), ((long)info["start_time"]!, (long)info["end_time"]!));
        var topic = info["topics"]!.AsArray().Single(one => (string)one!["topic"]! == "b_basictypes")!;
        Assert.Equal(("test_msgs/msg/BasicTypes", "ros2msg", 50), ((string)topic["type"]!, (string)topic["schema_encoding"]!, (int)topic["message_count"]!));
    }

    [Fact]
    public async Task Records_prints_one_object_a_file_and_goes_on_after_one_that_it_cannot_read()
    {
        var pointer = Path.Combine(_folder.Path, "pointer.mcap");
        await File.WriteAllTextAsync(pointer, "version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n");
        var result = await RunAsync(1, "records", "--json", Recording("talker"), pointer, Recording("strings"));
        Assert.Contains("this is a Git LFS pointer, not an MCAP file", result.Output, StringComparison.Ordinal);
        var objects = result.Output.Split('\n').Where(line => line.StartsWith("{\"records\":[", StringComparison.Ordinal)).Select(line => JsonNode.Parse(line)!).ToList();
        Assert.Equal([20, 75], objects.Select(one => one["records"]!.AsArray().Count(record => (string)record!["type"]! == "Message")));
    }

    [Fact]
    public async Task A_torn_file_is_told_recovered_and_sound_again()
    {
        var (torn, whole) = (Path.Combine(_folder.Path, "torn.mcap"), Path.Combine(_folder.Path, "whole.mcap"));
        await File.WriteAllBytesAsync(torn, (await File.ReadAllBytesAsync(Recording("wbag_0")))[..20_000]);
        Assert.Contains("'edgecloud mcap recover' makes it readable", (await RunAsync(1, "info", torn)).Output, StringComparison.Ordinal);
        await RunAsync(1, "doctor", torn);
        Assert.Contains("kept 1246 messages", (await RunAsync(0, "recover", torn, "-o", whole)).Output, StringComparison.Ordinal);
        await RunAsync(0, "doctor", whole);
    }

    [Fact]
    public async Task Merge_filter_sort_and_compress_keep_what_they_are_asked_to()
    {
        var (merged, some, sorted) = (Path.Combine(_folder.Path, "m.mcap"), Path.Combine(_folder.Path, "f.mcap"), Path.Combine(_folder.Path, "s.mcap"));
        await RunAsync(0, "merge", Recording("wbag_0"), Recording("wbag_1"), "-o", merged);
        Assert.Equal(2486, await MessagesAsync(merged));
        await RunAsync(0, "filter", merged, "-y", "AAA|BBB", "-o", some, "--compression", "lz4");
        Assert.InRange(await MessagesAsync(some), 1, 2485);
        await RunAsync(0, "sort", some, "-o", sorted);
        await RunAsync(0, "doctor", "--strict-message-order", merged, sorted);
        await RunAsync(2, "filter", merged, "-o", merged);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_command_that_fails_leaves_no_file_and_nothing_that_looks_like_a_whole_one(bool isToOutput)
    {
        var damaged = Path.Combine(_folder.Path, "damaged.mcap");
        var bytes = await File.ReadAllBytesAsync(Recording("basic_types_zstd"));
        bytes.AsSpan(bytes.AsSpan().LastIndexOf((ReadOnlySpan<byte>)[0x28, 0xB5, 0x2F, 0xFD]) + 40, 16).Fill(0xA5); // in a chunk of zstd
        await File.WriteAllBytesAsync(damaged, bytes);

        var run = await RunAsync(1, ["sort", damaged, .. isToOutput ? Array.Empty<string>() : ["-o", Path.Combine(_folder.Path, "sorted.mcap")]]);

        Assert.Contains("edgecloud: ", run.Output);
        Assert.InRange(run.Output.Split("MCAP0").Length - 1, 0, 1); // the magic at its start, if anything
        Assert.Equal([damaged], Directory.GetFiles(_folder.Path));
    }

    [Fact]
    public async Task A_file_that_cannot_get_its_name_is_not_left_under_another()
    {
        var target = Directory.CreateDirectory(Path.Combine(_folder.Path, "a.mcap")).FullName;
        await RunAsync(1, "sort", Recording("talker"), "-o", target);
        Assert.Empty(Directory.GetFiles(_folder.Path));
    }

    private static string Recording(string name) => TestData.Path($"rosbag2/{name}.mcap");

    private static async Task<int> MessagesAsync(string file) =>
        (int)JsonNode.Parse((await RunAsync(0, "info", "--json", file)).Output)!["message_count"]!;

    private static async Task<Edgecloud> RunAsync(int exitCode, params string[] arguments)
    {
        var result = await Edgecloud.RunAsync(new Dictionary<string, string>(), null, ["mcap", .. arguments]);
        Assert.True(exitCode == result.ExitCode, $"exit code {result.ExitCode} instead of {exitCode}: {result.Output}");
        return result;
    }
}
