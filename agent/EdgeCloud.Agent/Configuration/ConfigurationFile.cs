using System.Collections;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Sources.Ros;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Configuration;

/// <summary>
/// Reads <see cref="AgentConfiguration"/> from a YAML file with environment overrides (see <see cref="SettingTree"/>). Keys are those of
/// <c>infra/systemd/agent.yaml</c>. Relative paths, those in variables included, start at the file's folder.
/// </summary>
internal static class ConfigurationFile
{
    /// <summary>Where the package puts it.</summary>
    public const string DefaultPath = "/etc/edgecloud/agent.yaml";

    /// <summary>Ports of DDS domains above this would be beyond 65535.</summary>
    public const int HighestDomain = 232;

    private static readonly string[] TopLevelKeys =
        ["robot", "data_dir", "source", "mqtt", "s3", "recording", "disk", "upload", "telemetry", "health"];

    /// <exception cref="ConfigurationException">See there.</exception>
    public static AgentConfiguration Read(string file) => Read(file, ProcessEnvironment());

    /// <exception cref="ConfigurationException">See there.</exception>
    public static AgentConfiguration Read(string file, IEnumerable<KeyValuePair<string, string>> environment)
    {
        var tree = SettingTree.Load(file, environment, TopLevelKeys);
        var reader = new SettingReader(tree);
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        string Resolve(string path) => Path.GetFullPath(path, folder);

        var robot = reader.RequiredText("robot", $"this robot's id, {RobotId.Rule}");
        reader.Require(robot.Length == 0 || RobotId.IsValid(robot), "robot", $"'{robot}' is no robot id; allowed is {RobotId.Rule}");
        var configuration = new AgentConfiguration
        {
            Robot = robot,
            DataDir = Resolve(reader.Text("data_dir", "/var/lib/edgecloud")!),
            Source = ReadSource(reader, Resolve),
            Mqtt = reader.HasSection("mqtt") ? ReadMqtt(reader, robot, Resolve) : null,
            S3 = reader.HasSection("s3") ? ReadS3(reader, Resolve) : null,
            Recording = ReadRecording(reader),
            Disk = new DiskSettings
            {
                MinimumFreeBytes = reader.Integer("disk.minimum_free_bytes", new DiskSettings().MinimumFreeBytes, 0),
                MaximumShare = reader.Number("disk.maximum_share", new DiskSettings().MaximumShare, 0.01, 1),
                KeepAcknowledged = reader.Flag("disk.keep_acknowledged", false),
                KeepBytes = reader.Integer("disk.keep_bytes", 0, 0),
                KeepHours = reader.Number("disk.keep_hours", 0, 0, 1e6),
            },
            Upload = new UploadSettings
            {
                Workers = (int)reader.Integer("upload.workers", new UploadSettings().Workers, 1, 64),
                PartBytes = reader.Integer("upload.part_bytes", new UploadSettings().PartBytes, 5 << 20, 1L << 30),
                BandwidthBytesPerSecond = reader.Integer("upload.bandwidth_bytes_per_second", 0, 0),
                BurstBytes = reader.Integer("upload.burst_bytes", 0, 0),
                Windows = string.Join("; ", reader.List("upload.windows")),
                StallSeconds = reader.Number("upload.stall_seconds", new UploadSettings().StallSeconds, 1, 3600),
                Networks = ReadNetworks(reader),
            },
            Telemetry = new TelemetrySettings
            {
                IntervalSeconds = reader.Number("telemetry.interval_seconds", new TelemetrySettings().IntervalSeconds, 0.1, 3600),
            },
            Health = new HealthSettings
            {
                Port = reader.Integer("health.port", 0, 0, 65535) is > 0 and var port ? (int)port : null,
            },
        };
        reader.Require(Upload.UploadWindows.TryParse(configuration.Upload.Windows, out _), "upload.windows",
            $"is '{configuration.Upload.Windows}'; allowed is {Upload.UploadWindows.Rule}");
        var policy = configuration.Recording.Upload;
        reader.Require(policy is UploadPolicy.Now or UploadPolicy.OnDemand || configuration.Upload.Networks.ContainsKey(policy), "recording.upload",
            $"is '{policy}'; allowed is {string.Join(", ", [UploadPolicy.Now, UploadPolicy.OnDemand, .. configuration.Upload.Networks.Keys])}");
        reader.Finish();
        return configuration;
    }

    private static IReadOnlyDictionary<string, IReadOnlyList<string>> ReadNetworks(SettingReader reader)
    {
        const string Section = "upload.networks";
        var networks = new SortedDictionary<string, IReadOnlyList<string>>(UploadSettings.DefaultNetworks.ToDictionary(), StringComparer.Ordinal);
        foreach (var (name, patterns) in reader.Lists(Section))
        {
            reader.Require(UploadPolicy.IsValid(name) && name is not (UploadPolicy.Now or UploadPolicy.OnDemand), $"{Section}.{name}",
                $"'{name}' is no name of a network condition; allowed is 1 to 63 of a-z, 0-9 and '-', but not now or on-demand");
            reader.Require(patterns.Count > 0, $"{Section}.{name}", "is empty; allowed is a list of interface names, in which '*' stands for any characters");
            networks[name] = patterns;
        }
        return networks;
    }

    private static SourceSettings ReadSource(SettingReader reader, Func<string, string> resolve)
    {
        var source = new SourceSettings
        {
            Kind = reader.Choice("source.kind", SourceKind.Dds),
            Input = reader.Text("source.input") is { Length: > 0 } input ? resolve(input) : "",
            Times = reader.Choice("source.times", ReplayTimes.Rebased),
            Loop = reader.Flag("source.loop", true),
            Rate = reader.Number("source.rate", 1, 0, 1000),
            Seed = (int)reader.Integer("source.seed", 1, 0, int.MaxValue),
            Dds = ReadDds(reader),
            Ros = ReadRos(reader, resolve),
        };
        if (source.Kind is SourceKind.Replay)
        {
            reader.Require(source.Input.Length > 0, "source.input", "is not set; a replay needs the MCAP file to play");
            reader.Require(source.Times is ReplayTimes.Rebased || !source.Loop, "source.loop",
                "is true with source.times 'original'; original times can be recorded once only, so allowed is false");
            reader.Require(source.Rate > 0 || !source.Loop, "source.rate", "is 0 in a loop, which would fill the disk; allowed is more than 0");
        }
        else if (source.Kind is SourceKind.Simulated)
        {
            reader.Require(source.Rate > 0, "source.rate", "is 0; a simulated robot needs more than 0");
        }
        return source;
    }

    /// <summary>What the file does not say is taken from ROS 2's own variables, so that the agent hears the nodes that run beside it.</summary>
    private static DdsSettings ReadDds(SettingReader reader)
    {
        var domain = (int)reader.Integer("source.dds.domain", RosEnvironment.Domain ?? 0, 0, HighestDomain);
        var interfaces = reader.List("source.dds.interfaces");
        var peers = reader.List("source.dds.peers");
        return new DdsSettings
        {
            Domain = domain,
            Interfaces = interfaces.Count > 0 ? interfaces : RosEnvironment.Interfaces,
            Peers = peers.Count > 0 ? peers : RosEnvironment.Peers,
            Multicast = reader.OptionalChoice<DdsMulticast>("source.dds.multicast") ?? RosEnvironment.Multicast,
            WaitingBytes = reader.Integer("source.dds.waiting_bytes", new DdsSettings().WaitingBytes, 1 << 20, 8L << 30),
        };
    }

    private static RosSettings ReadRos(SettingReader reader, Func<string, string> resolve)
    {
        var rules = new RosTopicRules();
        var folders = reader.List("source.ros.definitions").Select(resolve).ToList();
        foreach (var missing in folders.Where(f => !Directory.Exists(f)))
            reader.Require(false, "source.ros.definitions", $"'{missing}' is not there; allowed are folders laid out as package/msg/Name.msg");
        return new RosSettings
        {
            Rules = new RosTopicRules
            {
                Hidden = reader.Flag("source.ros.hidden", rules.Hidden),
                Services = reader.Flag("source.ros.services", rules.Services),
                ServiceEvents = reader.Flag("source.ros.service_events", rules.ServiceEvents),
                Actions = reader.Flag("source.ros.actions", rules.Actions),
                Parameters = reader.Flag("source.ros.parameters", rules.Parameters),
                Plain = reader.Flag("source.ros.plain_dds", rules.Plain),
            },
            Definitions = folders,
            QosOverrides = reader.Text("source.ros.qos_overrides") is { Length: > 0 } file
                ? reader.Part(() => QosOverrides.Read(resolve(file)), QosOverrides.None) : QosOverrides.None,
        };
    }

    private static MqttSettings ReadMqtt(SettingReader reader, string robot, Func<string, string> resolve)
    {
        var tls = reader.Flag("mqtt.tls.enabled", false);
        var caFile = reader.Text("mqtt.tls.ca_file") is { Length: > 0 } ca ? resolve(ca) : null;
        reader.Require(caFile is null || File.Exists(caFile), "mqtt.tls.ca_file", $"'{caFile}' is not there; allowed is a PEM file");
        return new MqttSettings
        {
            Host = reader.RequiredText("mqtt.host", "the broker's name or address"),
            Port = (int)reader.Integer("mqtt.port", tls ? 8883 : 1883, 1, 65535),
            User = reader.Text("mqtt.user", robot)!,
            Password = reader.Secret("mqtt.password", resolve),
            Tls = tls,
            CaFile = caFile,
        };
    }

    private static S3Settings ReadS3(SettingReader reader, Func<string, string> resolve)
    {
        var endpoint = reader.RequiredText("s3.endpoint", "the server's URL, such as https://s3.example.com");
        reader.Require(endpoint.Length == 0 || Uri.TryCreate(endpoint, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https",
            "s3.endpoint", $"'{endpoint}' is no URL; allowed is http://... or https://...");
        var secret = reader.Secret("s3.secret_key", resolve);
        reader.Require(secret is { Length: > 0 }, "s3.secret_key", "is not set; set it or s3.secret_key_file");
        return new S3Settings
        {
            Endpoint = endpoint,
            Region = reader.Text("s3.region", "us-east-1")!,
            Bucket = reader.RequiredText("s3.bucket", "the bucket's name"),
            Prefix = reader.Text("s3.prefix", "")!,
            AccessKey = reader.RequiredText("s3.access_key", "the access key's id"),
            SecretKey = secret ?? "",
            ForcePathStyle = reader.Flag("s3.force_path_style", true),
        };
    }

    private static RecordingSettings ReadRecording(SettingReader reader)
    {
        var defaults = new RecordingSettings();
        return new RecordingSettings
        {
            Autostart = reader.Flag("recording.autostart", false),
            Name = reader.Text("recording.name", "")!,
            Selection = new TopicSelection
            {
                Include = reader.List("recording.include"),
                Exclude = reader.List("recording.exclude"),
                Types = reader.List("recording.types"),
                ExcludeTypes = reader.List("recording.exclude_types"),
                Nodes = reader.List("recording.nodes"),
                ExcludeNodes = reader.List("recording.exclude_nodes"),
            },
            StartPaused = reader.Flag("recording.start_paused", false),
            Topics = ReadTopics(reader),
            Upload = reader.Text("recording.upload", UploadPolicy.Now)!,
            BoundMs = (int)reader.Integer("recording.bound_ms", defaults.BoundMs, 0, 60_000),
            Ring = ReadRing(reader),
            Triggers = ReadTriggers(reader),
            OnRestart = reader.Choice("recording.on_restart", defaults.OnRestart),
            SegmentBytes = reader.Integer("recording.segment_bytes", defaults.SegmentBytes, 1 << 20, 4L << 30),
            SegmentSeconds = (int)reader.Integer("recording.segment_seconds", defaults.SegmentSeconds, 1, 86_400),
            Compression = reader.Choice("recording.compression", ChunkCompression.Zstd),
            CompressionThreads = (int)reader.Integer("recording.compression_threads", defaults.CompressionThreads, 0, 64),
        };
    }

    private static IReadOnlyList<TopicRule> ReadTopics(SettingReader reader)
    {
        reader.Require(reader.List("recording.topics").Count == 0, "recording.topics",
            "holds plain values; allowed are rules such as { match: '/camera/*', class: bulk }");
        var rules = new List<TopicRule>();
        for (var i = 0; reader.HasSection($"recording.topics.{i}"); i++)
        {
            string Key(string name) => $"recording.topics.{i}.{name}";
            rules.Add(new TopicRule(
                reader.Text(Key("match"), "*")!, reader.Text(Key("type"), "*")!, reader.Text(Key("node"), "*")!,
                reader.OptionalChoice<TopicClass>(Key("class")), reader.Number(Key("max_rate_hz"), 0, 0, 1e6),
                reader.Integer(Key("max_bytes"), 0, 0)));
        }
        return rules.Count == 0 ? new RecordingSettings().Topics : rules;
    }

    private static RingSettings? ReadRing(SettingReader reader)
    {
        if (!reader.HasSection("recording.ring"))
            return null;
        var minutes = reader.Number("recording.ring.minutes", 0, 0.1, 525_600);
        var bytes = reader.Integer("recording.ring.bytes", 0, 1 << 20);
        var ring = new RingSettings { Minutes = minutes > 0 ? minutes : null, Bytes = bytes > 0 ? bytes : null };
        reader.Require(ring.IsValid, "recording.ring", $"has no limit; allowed is {RingSettings.Rule}");
        return ring;
    }

    private static List<TriggerRule> ReadTriggers(SettingReader reader)
    {
        List<TriggerRule> rules = [];
        foreach (var (name, text) in reader.Texts("recording.triggers"))
        {
            try
            {
                rules.Add(TriggerRule.Parse(name, text));
            }
            catch (FormatException e)
            {
                reader.Require(false, $"recording.triggers.{name}", $"'{text}' is no rule: {e.Message}");
            }
        }
        return rules;
    }

    private static IEnumerable<KeyValuePair<string, string>> ProcessEnvironment()
    {
        foreach (DictionaryEntry entry in Environment.GetEnvironmentVariables())
            yield return new((string)entry.Key, (string?)entry.Value ?? "");
    }
}
