using System.Net.Sockets;
using System.Text;
using EdgeCloud.Agent.Host;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Host;

public sealed class CommandLineTests : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("rosbag2/topics_and_services.mcap"), InlineData("rosbag2/wbag_0.mcap"), InlineData("rosbag2/strings.mcap")]
    public async Task Record_makes_sealed_segments_with_every_message_of_its_input(string relative)
    {
        var input = TestData.Path(relative);
        var (code, output) = await RunAsync("record", "--source", "replay", "--input", input, "--once", "--data-dir", _folder["data"]);
        Assert.True(code == 0, output);
        var segment = Assert.Single(Directory.GetFiles(_folder.Path, "*.mcap", SearchOption.AllDirectories));
        Assert.Equal(Messages(input), Messages(segment));
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.open", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Record_of_a_simulated_robot_ends_after_its_duration_and_on_sigterm()
    {
        var (code, output) = await RunAsync("record", "--source", "simulated", "--duration", "1", "--data-dir", _folder["a"]);
        Assert.True(code == 0, output);
        await using var endless = ProductProcess.StartAgent(["record", "--source", "simulated", "--data-dir", _folder["b"]]);
        await endless.WaitForLineAsync("started by record", Deadline);
        Assert.Equal(0, await endless.TerminateAsync(Deadline));
        Assert.Single(Directory.GetFiles(_folder["b"], "*.mcap", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task Record_is_paused_and_goes_on_by_a_signal_and_a_full_disk_does_not_end_it()
    {
        await using var recording = ProductProcess.StartAgent(["record", "--source", "simulated", "--data-dir", _folder["data"]]);
        await recording.WaitForLineAsync("started by record", Deadline);
        var session = Assert.Single(Directory.GetFiles(_folder["data"], "session.json", SearchOption.AllDirectories));
        using (new FullDisk(session))
        {
            recording.SignalUser();
            await recording.WaitForLineAsync("edgecloud-agent: nothing changes: No space left on device", Deadline);
        }
        recording.SignalUser();
        await recording.WaitForLineAsync("edgecloud-agent: paused", Deadline);
        recording.SignalUser();
        await recording.WaitForLineAsync("edgecloud-agent: recording", Deadline);
        Assert.Equal(0, await recording.TerminateAsync(Deadline));
    }

    [Theory]
    [InlineData(2, "nothing", "Unrecognized command or argument 'nothing'", "nothing")]
    [InlineData(2, "no data folder", "Option '--data-dir' is required", "record")]
    [InlineData(2, "no input", "--input is missing", "record", "--data-dir", "{}")]
    [InlineData(2, "robot", "--robot is 'A B'", "record", "--data-dir", "{}", "--input", "x", "--robot", "A B")]
    [InlineData(1, "input", "nowhere.mcap cannot be opened", "record", "--data-dir", "{}", "--input", "nowhere.mcap")]
    [InlineData(2, "configuration", "nowhere.yaml: cannot be read", "run", "--config", "nowhere.yaml")]
    [InlineData(2, "configuration", "nowhere.yaml: cannot be read", "check-config", "--config", "nowhere.yaml")]
    [InlineData(2, "data", "holds no sessions", "recover", "--data-dir", "{}")]
    public async Task Bad_usage_is_one_line_and_a_code(int expected, string what, string line, params string[] arguments)
    {
        var (code, output) = await RunAsync([.. arguments.Select(a => a == "{}" ? _folder["data"] : a)]);
        Assert.True((expected, true) == (code, output.Contains(line, StringComparison.Ordinal)), $"{what}: {code}\n{output}");
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Recover_seals_what_a_killed_recording_left_open()
    {
        await using var recording = ProductProcess.StartAgent(["record", "--source", "simulated", "--data-dir", _folder["data"]]);
        await Eventually.Holds(() => Directory.Exists(_folder["data"]) && Directory.GetFiles(_folder["data"], "*.mcap.open", SearchOption.AllDirectories)
            .Any(HasBytesAfter100K), Deadline, "an open segment with messages");
        await recording.KillAsync();
        var (code, output) = await RunAsync("recover", "--data-dir", _folder["data"]);
        Assert.True(code == 0, output);
        Assert.Empty(Directory.GetFiles(_folder.Path, "*.open", SearchOption.AllDirectories));
        var segment = Assert.Single(Directory.GetFiles(_folder.Path, "*.mcap", SearchOption.AllDirectories));
        Assert.NotEmpty(Messages(segment));
        // A second time there is nothing left to do.
        Assert.Equal(Assert.Single(output.Split('\n'), l => l.StartsWith("session ", StringComparison.Ordinal)),
            (await RunAsync("recover", "--data-dir", _folder["data"])).Output);
    }

    // A segment's size says nothing: its space is set aside before anything is written.
    private static bool HasBytesAfter100K(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        var bytes = new byte[4096];
        file.Position = 100_000;
        return file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false) == bytes.Length && bytes.AsSpan().ContainsAnyExcept((byte)0);
    }

    [Fact]
    public async Task Systemd_hears_when_the_agent_is_ready_alive_and_stopping()
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
        socket.Bind(new UnixDomainSocketEndPoint(_folder["notify"]));
        File.WriteAllText(_folder["agent.yaml"], "robot: a\ndata_dir: data\nsource: { kind: simulated }\n");
        await using var agent = ProductProcess.StartAgent(["run", "--config", _folder["agent.yaml"]],
            new Dictionary<string, string> { ["NOTIFY_SOCKET"] = _folder["notify"], ["WATCHDOG_USEC"] = "200000" });
        var heard = new List<string>();
        var buffer = new byte[1000];
        while (!heard.Exists(h => h.StartsWith("READY=1", StringComparison.Ordinal)) || heard.Count(h => h == "WATCHDOG=1") < 3)
        {
            using var timeout = new CancellationTokenSource(Deadline);
            heard.Add(Encoding.UTF8.GetString(buffer, 0, await socket.ReceiveAsync(buffer, timeout.Token)));
        }
        Assert.Equal(0, await agent.TerminateAsync(Deadline));
        while (socket.Available > 0)
            heard.Add(Encoding.UTF8.GetString(buffer, 0, socket.Receive(buffer)));
        Assert.Contains("STOPPING=1", heard);
    }

    [Fact]
    public void Without_systemd_nothing_is_told()
    {
        using var nobody = new SystemdNotify(null, "1000");
        nobody.Ready("x");
        Assert.Null(nobody.WatchdogInterval);
    }

    private static async Task<(int Code, string Output)> RunAsync(params string[] arguments)
    {
        await using var process = ProductProcess.StartAgent(arguments);
        var code = await process.WaitForExitAsync(Deadline);
        return (code, process.Output);
    }

    private static List<(string, ulong, ulong, uint, string)> Messages(string path)
    {
        var messages = new List<(string, ulong, ulong, uint, string)>();
        using var reader = new McapStreamReader(File.OpenRead(path));
        while (reader.ReadMessage(out var m))
        {
            if (!reader.Channels[m.ChannelId].Metadata.ContainsKey("edgecloud.repeat"))
                messages.Add((reader.Channels[m.ChannelId].Topic, m.LogTime, m.PublishTime, m.Sequence, Convert.ToHexString(m.Data.Span)));
        }
        return [.. messages.Order()];
    }
}
