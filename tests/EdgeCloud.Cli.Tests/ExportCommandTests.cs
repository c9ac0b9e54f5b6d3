using System.Text.Json.Nodes;
using EdgeCloud.Testing;

namespace EdgeCloud.Cli.Tests;

/// <summary><c>edgecloud export</c>, run as a process.</summary>
public sealed class ExportCommandTests : IDisposable
{
    private static readonly string Simulated = Repository.PathTo("infra", "demo", "simulated-10s.mcap");
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Files_become_a_dataset_with_manifest_and_readme()
    {
        var result = await RunAsync(0, Simulated, "--format", "csv", "--topics", "/imu*", "/odom", "--sample", "/imu*=1/5", "--robot", "amr-07", "--output", _folder["dataset/"]);

        Assert.Contains("messages of 2 topics", result.Output);
        var manifest = JsonNode.Parse(await File.ReadAllTextAsync(_folder["dataset/manifest.json"]))!;
        Assert.Equal(["/imu/data", "/odom"], manifest["topics"]!.AsArray().Select(t => (string)t!["topic"]!));
        Assert.All(manifest["topics"]!.AsArray(), t => Assert.Equal("amr-07", (string)t!["robot"]!));
        Assert.Equal(17, (int)manifest["topics"]![0]!["messages"]!);
        Assert.Equal(64, ((string)manifest["sources"]![0]!["segments"]![0]!["sha256"]!).Length);
        Assert.Equal(18, (await File.ReadAllLinesAsync(_folder["dataset/imu.data.csv"])).Length);
        Assert.Contains("pd.read_csv", await File.ReadAllTextAsync(_folder["dataset/README.md"]));
        Assert.Equal(["README.md", "imu.data.csv", "manifest.json", "odom.csv"], Directory.EnumerateFileSystemEntries(_folder["dataset"]).Select(Path.GetFileName).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task What_is_wrong_is_said_in_one_line_and_leaves_nothing_behind()
    {
        File.Copy(Simulated, _folder["again.mcap"]);
        Assert.Contains("again.mcap are the same recording", (await RunAsync(2, Simulated, _folder["again.mcap"], "--format", "csv", "--output", _folder["out"])).Output);
        await File.WriteAllBytesAsync(_folder["torn.mcap"], (await File.ReadAllBytesAsync(Simulated))[..100_000]);
        Assert.Contains("'edgecloud mcap recover' makes it readable", (await RunAsync(1, _folder["torn.mcap"], "--format", "csv", "--output", _folder["out"])).Output);
        Assert.Contains("'xml' is no format", (await RunAsync(2, Simulated, "--format", "xml", "--output", _folder["out"])).Output);
        Assert.Contains("alignment:", (await RunAsync(2, Simulated, "--format", "mcap", "--align-rate", "5", "--output", _folder["out"])).Output);
        Assert.Contains("expected TOPIC:FIELD>=VALUE", (await RunAsync(2, Simulated, "--format", "csv", "--filter", "nonsense", "--output", _folder["out"])).Output);
        Assert.Contains("Topic /odom", (await RunAsync(1, Simulated, "--format", "csv", "--fields", "/odom:nothing", "--output", _folder["out"])).Output);
        Assert.False(Directory.Exists(_folder["out"]));
        Assert.Contains("is not an empty folder", (await RunAsync(2, Simulated, "--format", "csv", "--output", _folder.Path)).Output);
    }

    [Fact]
    public async Task What_is_perhaps_a_slip_is_pointed_out()
    {
        var odd = await RunAsync(0, Simulated, "--format", "csv", "--topics", "/odom", "/imu/date", "--fields", "/imu/data:header", "--sample", "/odm=1", "--output", _folder["odd"]);
        Assert.Contains("No topic matches '/imu/date' (selection).", odd.Output);
        Assert.Contains("No topic matches '/imu/data' (fields).", odd.Output);
        Assert.Contains("No topic matches '/odm' (sampling).", odd.Output);
        Assert.Contains("'/imu/date'", (string)JsonNode.Parse(await File.ReadAllTextAsync(_folder["odd/manifest.json"]))!["notes"]![0]!);
        Assert.Contains("'/imu/date'", await File.ReadAllTextAsync(_folder["odd/README.md"]));

        var empty = await RunAsync(0, Simulated, "--format", "csv", "--align-rate", "10", "--tolerance", "0", "--output", _folder["empty"]);
        Assert.Contains("There is no aligned table: no topic has a message within 0 s of a tick.", empty.Output);

        var master = await RunAsync(1, Simulated, "--format", "csv", "--topics", "/odom", "--align-to", "/imu/data", "--output", _folder["out"]);
        Assert.Contains("cannot be aligned to /imu/data: it is not among those that are selected", master.Output);
        await File.WriteAllTextAsync(_folder["notes.txt"], new string('x', 200));
        Assert.Contains("notes.txt: this is no MCAP file.", (await RunAsync(1, _folder["notes.txt"], "--format", "csv", "--output", _folder["out"])).Output);
    }

    private static async Task<Edgecloud> RunAsync(int exitCode, params string[] arguments)
    {
        var result = await Edgecloud.RunAsync(new Dictionary<string, string>(), null, ["export", .. arguments]);
        Assert.True(result.ExitCode == exitCode, $"{result.ExitCode}: {result.Output}");
        return result;
    }
}
