using Amazon.S3;
using EdgeCloud.Contracts;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Host;

/// <summary>A robot with its data folder, its bucket and its user at the broker; its agent is started and killed as a test wants.</summary>
internal sealed class RunningAgent : IAsyncDisposable
{
    private static int _robots;
    private readonly TemporaryFolder _folder = new();
    private readonly MosquittoBroker _broker;
    private readonly S3Server _s3;
    private readonly S3Key _key;
    private readonly AmazonS3Client _owner;

    private RunningAgent(string robot, MosquittoBroker broker, S3Server s3, string bucket, S3Key key)
    {
        (Robot, _broker, _s3, Bucket, _key) = (robot, broker, s3, bucket, key);
        (S3Endpoint, BrokerPort, User) = (s3.Endpoint, broker.Port, robot);
        _owner = s3.Connect();
    }

    public string Robot { get; }

    public string Bucket { get; }

    public string DataDir => _folder["data"];

    public string ConfigurationFile => _folder["agent.yaml"];

    public string S3Endpoint { get; set; }

    public int BrokerPort { get; set; }

    /// <summary>Its user at the broker: by default its own.</summary>
    public string User { get; set; }

    public string Password { get; set; } = "";

    public ProductProcess Process { get; private set; } = null!;

    public static async Task<RunningAgent> CreateAsync(MosquittoBroker broker, S3Server s3)
    {
        var robot = $"amr-{Interlocked.Increment(ref _robots)}";
        await broker.AddRobotsAsync(robot);
        var bucket = await s3.CreateBucketAsync();
        return new RunningAgent(robot, broker, s3, bucket, await s3.AddRobotAsync(bucket, "recordings", robot)) { Password = broker.PasswordOf(robot) };
    }

    public void Start(string source = "{ kind: simulated }", string recording = "{ autostart: true, segment_seconds: 1, bound_ms: 10 }", string more = "")
    {
        File.WriteAllText(ConfigurationFile, $$"""
            robot: {{Robot}}
            data_dir: {{DataDir}}
            source: {{source}}
            mqtt: { host: {{_broker.Host}}, port: {{BrokerPort}}, user: {{User}}, password: "{{Password}}", tls: { enabled: true, ca_file: {{_broker.CaFile}} } }
            s3: { endpoint: "{{S3Endpoint}}", region: {{_s3.Region}}, bucket: {{Bucket}}, prefix: recordings, access_key: "{{_key.AccessKey}}", secret_key: "{{_key.SecretKey}}" }
            recording: {{recording}}
            disk: { minimum_free_bytes: 0 }
            telemetry: { interval_seconds: 0.5 }
            {{more}}
            """);
        Process = ProductProcess.StartAgent(["run", "--config", ConfigurationFile]);
    }

    /// <summary>Messages of the session's segments in the bucket, topic by topic in order of segments; repeats are left out.</summary>
    public async Task<Dictionary<string, List<uint>>> ReadBucketAsync(string prefix)
    {
        var numbers = new Dictionary<string, List<uint>>();
        var listed = await _owner.ListObjectsV2Async(new() { BucketName = Bucket, Prefix = prefix });
        foreach (var segment in listed.S3Objects.Where(o => o.Key.EndsWith(".mcap", StringComparison.Ordinal)).OrderBy(o => o.Key, StringComparer.Ordinal))
        {
            using var answer = await _owner.GetObjectAsync(Bucket, segment.Key);
            using var reader = new McapStreamReader(answer.ResponseStream);
            while (reader.ReadMessage(out var message))
            {
                var channel = reader.Channels[message.ChannelId];
                if (channel.Metadata.ContainsKey("edgecloud.repeat"))
                    continue;
                if (!numbers.TryGetValue(channel.Topic, out var list))
                    numbers.Add(channel.Topic, list = []);
                list.Add(message.Sequence);
            }
        }
        return numbers;
    }

    public async Task<SessionManifest> ReadCertificateAsync(string prefix)
    {
        using var answer = await _owner.GetObjectAsync(Bucket, ObjectKeys.Certificate(prefix));
        using var json = new MemoryStream();
        await answer.ResponseStream.CopyToAsync(json);
        return ContractJson.Read<SessionManifest>(json.ToArray());
    }

    public async ValueTask DisposeAsync()
    {
        if (Process is not null)
        {
            if (TestContext.Current.TestState?.Result == TestResult.Failed)
                TestContext.Current.TestOutputHelper?.WriteLine(Process.Output);
            await Process.DisposeAsync();
        }
        _owner.Dispose();
        _folder.Dispose();
    }
}
