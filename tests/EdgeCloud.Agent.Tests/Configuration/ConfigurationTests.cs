using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Configuration;

public sealed class ConfigurationTests : IDisposable
{
    private const string Least = "robot: amr-01\nsource: { kind: simulated }\n";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void The_least_configuration_has_the_documented_defaults()
    {
        var configuration = Read(Least);
        Assert.Equal("/var/lib/edgecloud", configuration.DataDir);
        Assert.Null(configuration.Mqtt);
        Assert.Null(configuration.S3);
        Assert.Equal(50, configuration.Recording.BoundMs);
        Assert.Equal(64 << 20, configuration.Recording.SegmentBytes);
        Assert.Equal(ChunkCompression.Zstd, configuration.Recording.Compression);
        Assert.False(configuration.Recording.Autostart);
        Assert.False(configuration.Disk.KeepAcknowledged);
    }

    [Fact]
    public void The_shipped_configuration_is_sound_with_every_commented_key_as_its_default()
    {
        var shipped = File.ReadAllText(Path.Combine(Repository.Root, "infra", "systemd", "agent.yaml"));
        Assert.Equal("amr-01", Read(shipped).Robot);
        File.WriteAllText(_folder["mqtt-password"], "one\n");
        File.WriteAllText(_folder["s3-secret"], "two\n");
        File.WriteAllText(_folder["ca.pem"], "");
        var uncommented = string.Join('\n', shipped.Split('\n').Select(l =>
            l.StartsWith("#   ", StringComparison.Ordinal) ? l[1..] : l.StartsWith("  # ", StringComparison.Ordinal) ? "  " + l[4..]
            : l.StartsWith("# ", StringComparison.Ordinal) && l.Contains(':', StringComparison.Ordinal) && char.IsLower(l[2]) && !l.Contains('`', StringComparison.Ordinal) ? l[2..] : l));
        var configuration = Read(uncommented);
        Assert.Equal("one", configuration.Mqtt!.Password);
        Assert.Equal("two", configuration.S3!.SecretKey);
        var plain = Read(shipped);
        Assert.Equal(plain.Recording with
        {
            Selection = configuration.Recording.Selection,
            Ring = new RingSettings { Minutes = 10, Bytes = 20L << 30 },
            Triggers = configuration.Recording.Triggers,
        }, configuration.Recording);
        Assert.Equal([TriggerRule.Parse("faults", "/diagnostics status[].level >= ERROR pre 30 post 10")], configuration.Recording.Triggers);
        Assert.Equal(plain.Disk, configuration.Disk);
        Assert.Equal(plain.Upload with { Networks = configuration.Upload.Networks }, configuration.Upload);
        Assert.Equal(plain.Telemetry, configuration.Telemetry);
    }

    [Fact]
    public void Variables_win_over_the_file_and_variables_of_other_programs_are_none_of_ours()
    {
        var configuration = Read(Least + "recording: { bound_ms: 20, exclude: [/a, /b], compression_threads: 1 }\n", new()
        {
            ["EDGECLOUD_ROBOT"] = "amr-02",
            ["EDGECLOUD_RECORDING__BOUND_MS"] = "70",
            ["EDGECLOUD_RECORDING__INCLUDE"] = "/tf, /tf_static",
            ["EDGECLOUD_MQTT__HOST"] = "broker",
            ["EDGECLOUD_MQTT__PASSWORD"] = "secret",
            ["EDGECLOUD_TEST_DATA"] = "/somewhere",
            ["PATH"] = "/bin",
        });
        Assert.Equal("amr-02", configuration.Robot);
        Assert.Equal((70, 1), (configuration.Recording.BoundMs, configuration.Recording.CompressionThreads));
        Assert.Equal(["/tf", "/tf_static"], configuration.Recording.Selection.Include);
        Assert.Equal(["/a", "/b"], configuration.Recording.Selection.Exclude);
        Assert.Equal(("broker", 1883, "amr-02", "secret"),
            (configuration.Mqtt!.Host, configuration.Mqtt.Port, configuration.Mqtt.User, configuration.Mqtt.Password));
    }

    [Theory]
    [InlineData("robot: AMR\nsource: { kind: simulated }", "agent.yaml:1: robot: 'AMR' is no robot id; allowed is 1 to 63 of the characters")]
    [InlineData("source: { kind: simulated }", "robot is not set; it must be this robot's id")]
    [InlineData("robot: a\nsource: { kind: ros }", "agent.yaml:2: source.kind is 'ros'; allowed is dds or rcl or simulated or replay")]
    [InlineData("robot: a\nsource: { dds: { domain: 233 } }", "source.dds.domain is '233'; allowed is a whole number from 0 to 232")]
    [InlineData("robot: a\nsource: { dds: { multicast: maybe } }", "source.dds.multicast is 'maybe'; allowed is on or off or discovery")]
    [InlineData("robot: a\nsource: { ros: { definitions: [nowhere] } }", "is not there; allowed are folders laid out as package/msg/Name.msg")]
    [InlineData("robot: a\nsource: { ros: { qos_overrides: agent.yaml } }", "'robot' must be a topic name beginning with '/'")]
    [InlineData("robot: a\nrecording:\n  topics:\n    - { match: /a, clas: bulk }", "recording.topics.0.clas is not a key; the nearest one is recording.topics.0.class")]
    [InlineData("robot: a\nrecording: { topics: [{ class: urgent }] }", "recording.topics.0.class is 'urgent'; allowed is critical or normal or bulk")]
    [InlineData("robot: a\nsource: { kind: replay }", "source.input: is not set; a replay needs the MCAP file to play")]
    [InlineData("robot: a\nsource: { kind: replay, input: x, times: original }", "source.loop: is true with source.times 'original'")]
    [InlineData("robot: a\nsource: { kind: replay, input: x, rate: 0 }", "source.rate: is 0 in a loop")]
    [InlineData("robot: a\nsource:\n  kind: simulated\n  sede: 3", "agent.yaml:4: source.sede is not a key; the nearest one is source.seed")]
    [InlineData(Least + "recording: { bound_ms: many }", "recording.bound_ms is 'many'; allowed is a whole number from 0 to 60000")]
    [InlineData(Least + "recording: { autostart: yess }", "recording.autostart is 'yess'; allowed is true or false")]
    [InlineData(Least + "recording: { name: [a, b] }", "recording.name is 'a, b'; allowed is one value, not a list")]
    [InlineData(Least + "recording: { compression: gzip }", "recording.compression is 'gzip'; allowed is none or lz4 or zstd")]
    [InlineData(Least + "recording: { compression_threads: -1 }", "recording.compression_threads is '-1'; allowed is a whole number from 0 to 64")]
    [InlineData(Least + "mqtt: { port: 1 }", "mqtt.host is not set; it must be the broker's name or address (or set EDGECLOUD_MQTT__HOST)")]
    [InlineData(Least + "mqtt: { host: h, password: a, password_file: b }", "mqtt.password and mqtt.password_file are both set")]
    [InlineData(Least + "mqtt: { host: h, password_file: nowhere }", "mqtt.password_file is 'nowhere'; allowed is a readable file")]
    [InlineData(Least + "mqtt: { host: h, tls: { ca_file: nowhere } }", "mqtt.tls.ca_file: ")]
    [InlineData(Least + "s3: { endpoint: ftp://x, bucket: b, access_key: a, secret_key: s }", "s3.endpoint: 'ftp://x' is no URL")]
    [InlineData(Least + "s3: { endpoint: 'http://x', bucket: b, access_key: a }", "s3.secret_key: is not set; set it or s3.secret_key_file")]
    [InlineData(Least + "upload: { part_bytes: 1000 }", "upload.part_bytes is '1000'; allowed is a whole number from 5242880")]
    [InlineData("robot: a\nrobot: b", "not YAML")]
    [InlineData("- robot", "the file holds no 'key: value' lines")]
    [InlineData(Least + "recording: { include: [{ a: b }] }", "recording.include.0.a is not a key")]
    public void An_error_names_place_key_value_and_what_is_allowed(string yaml, string expected)
    {
        var error = Assert.Throws<ConfigurationException>(() => Read(yaml));
        Assert.Contains(error.Errors, e => e.Contains(expected, StringComparison.Ordinal) && e.Contains("agent.yaml", StringComparison.Ordinal));
    }

    [Fact]
    public void An_error_in_a_variable_names_the_variable()
    {
        var error = Assert.Throws<ConfigurationException>(() => Read(Least, new()
        {
            ["EDGECLOUD_UPLOAD__WORKERS"] = "0",
            ["EDGECLOUD_UPLAOD__WORKERS"] = "1",
        }));
        Assert.Equal(
            [
                "EDGECLOUD_UPLOAD__WORKERS: upload.workers is '0'; allowed is a whole number from 1 to 64",
                "EDGECLOUD_UPLAOD__WORKERS: uplaod.workers is not a key; the nearest one is upload.workers",
            ],
            error.Errors);
    }

    [Fact]
    public void All_errors_are_told_at_once() =>
        Assert.Equal(3, Assert.Throws<ConfigurationException>(() => Read("robot: A\nsource: { kind: x }\nupload: { workers: 99 }")).Errors.Count);

    [Fact]
    public void A_file_that_is_not_there_is_one_line() =>
        Assert.Contains("cannot be read", Assert.Single(
            Assert.Throws<ConfigurationException>(() => ConfigurationFile.Read(_folder["none.yaml"], [])).Errors), StringComparison.Ordinal);

    private AgentConfiguration Read(string yaml, Dictionary<string, string>? environment = null)
    {
        File.WriteAllText(_folder["agent.yaml"], yaml);
        return ConfigurationFile.Read(_folder["agent.yaml"], environment ?? []);
    }
}
