using System.Collections.Concurrent;
using System.Security.Cryptography;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using EdgeCloud.Contracts;
using EdgeCloud.Mcap.Writing;
using EdgeCloud.Mqtt;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Flow;

/// <summary>A segment that a test made: its bytes and its manifest.</summary>
public sealed record MadeSegment(byte[] Bytes, SegmentManifest Manifest);

/// <summary>
/// Speaks as a robot over the real broker and the real bucket, with that robot's own credentials, and does as the test says: also what no
/// agent would do.
/// </summary>
public sealed class ScriptedRobot : IAsyncDisposable
{
    private readonly MqttConnection _mqtt;
    private readonly AmazonS3Client _s3;
    private readonly string _bucket;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _receiving;
    private readonly long _epoch = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds();
    private long _number;

    private ScriptedRobot(string id, MqttConnection mqtt, AmazonS3Client s3, string bucket)
    {
        (Id, _mqtt, _s3, _bucket) = (id, mqtt, s3, bucket);
        _receiving = ReceiveAsync();
    }

    public string Id { get; }

    /// <summary>Answers to announcements, in order of arrival.</summary>
    public ConcurrentQueue<CustodyMessage> Custody { get; } = new();

    /// <summary>Commands, in order of arrival.</summary>
    public ConcurrentQueue<CommandMessage> Commands { get; } = new();

    public static async Task<ScriptedRobot> ConnectAsync(string id, MosquittoBroker broker, S3Server s3, string bucket)
    {
        await broker.AddRobotsAsync(id);
        var key = await s3.AddRobotAsync(bucket, ControlPlaneProcess.Prefix, id);
        var mqtt = MqttConnection.Create(new MqttOptions
        {
            Host = broker.Host,
            Port = broker.Port,
            ClientId = id,
            User = id,
            Password = broker.PasswordOf(id),
            Tls = new MqttTls { CaFile = broker.CaFile },
            SessionExpiry = TimeSpan.FromHours(1),
            Subscriptions = [MqttTopics.For(id, MqttTopicKind.Command), MqttTopics.For(id, MqttTopicKind.Custody)],
        });
        mqtt.Start();
        await mqtt.WaitForConnectionAsync(TestContext.Current.CancellationToken);
        var client = new AmazonS3Client(key.AccessKey, key.SecretKey, new AmazonS3Config
        {
            ServiceURL = s3.Endpoint,
            ForcePathStyle = true,
            AuthenticationRegion = s3.Region,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });
        return new ScriptedRobot(id, mqtt, client, bucket);
    }

    public Revision Next() => new(_epoch, ++_number);

    public Task SendAsync<T>(MqttTopicKind kind, T message, bool retain = false) where T : class, IContractMessage =>
        SendAsync(kind, ContractJson.Write(message), retain);

    public Task SendAsync(MqttTopicKind kind, byte[] payload, bool retain = false) =>
        _mqtt.PublishAsync(
            new MqttMessage { Topic = MqttTopics.For(Id, kind), Payload = payload, Retain = retain }, TestContext.Current.CancellationToken);

    public Task SendStateAsync(bool online = true) => SendAsync(MqttTopicKind.State, State(online), retain: true);

    public StateMessage State(bool online = true) => new()
    {
        Robot = Id,
        Revision = Next(),
        Online = online,
        TimeNs = Now(),
        AgentVersion = "1.0",
        Source = "scripted",
        Topics = [new OfferedTopic("/a", "std_msgs/msg/String")],
    };

    public SessionManifest Session(Guid id, SessionState state = SessionState.Recording, int lastSequence = 0) => new()
    {
        Robot = Id,
        Session = id,
        Name = "a walk",
        State = state,
        ObjectPrefix = ObjectKeys.SessionPrefix(ControlPlaneProcess.Prefix, Id, DateTimeOffset.UtcNow.Date, id),
        StartedNs = Now(),
        LastSequence = lastSequence,
        Ledger = [new LedgerEntry { Topic = "/a", Received = 12, Recorded = 10, DroppedQueue = 2 }],
        AgentVersion = "1.0",
    };

    public Task AnnounceAsync(SessionManifest manifest) =>
        SendAsync(MqttTopicKind.Manifest, new SessionAnnouncement { Robot = Id, Revision = Next(), Manifest = manifest });

    public Task AnnounceAsync(SegmentManifest manifest, Custody custody, string reason = "") =>
        SendAsync(MqttTopicKind.Manifest, new SegmentAnnouncement { Robot = Id, Revision = Next(), Custody = custody, Reason = reason, Manifest = manifest });

    /// <summary>A sealed segment with <paramref name="count"/> messages from <paramref name="firstNs"/> on, a ms apart.</summary>
    public MadeSegment Segment(SessionManifest session, int sequence, int count, ulong firstNs, int payloadBytes = 32)
    {
        using var stream = new MemoryStream();
        using (var writer = new McapWriter(stream, new McapWriterOptions { Profile = "ros2", ChunkBytes = 64 << 10 }, leaveOpen: true))
        {
            var schema = writer.AddSchema("std_msgs/msg/String", "ros2msg", "string data"u8.ToArray());
            var channel = writer.AddChannel(schema.Id, "/a", "cdr");
            var random = new Random(sequence);
            var payload = new byte[payloadBytes];
            for (var i = 0; i < count; i++)
            {
                random.NextBytes(payload);
                var time = firstNs + (ulong)i * 1_000_000;
                writer.WriteMessage(channel.Id, (uint)i, time, time - 5, payload);
            }
        }
        var bytes = stream.ToArray();
        return new MadeSegment(bytes, new SegmentManifest
        {
            Robot = Id,
            Session = session.Session,
            Sequence = sequence,
            ObjectKey = ObjectKeys.Segment(session.ObjectPrefix, sequence),
            Bytes = bytes.Length,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
            ETag = Convert.ToHexStringLower(MD5.HashData(bytes)),
            LogTimeStartNs = (long)firstNs,
            LogTimeEndNs = (long)firstNs + (count - 1) * 1_000_000L,
            Messages = count,
            Topics = [new TopicSummary { Topic = "/a", Type = "std_msgs/msg/String", Messages = count, Bytes = count * payloadBytes }],
            Ledger = [new LedgerEntry { Topic = "/a", Received = count + 1, Recorded = count, DroppedQueue = 1 }],
            Clock = new ClockFacts { WallNs = Now(), MonotonicNs = 1, BootId = "boot" },
            AgentVersion = "1.0",
        });
    }

    /// <summary>Puts the object, with the metadata that an agent gives it unless told otherwise.</summary>
    public async Task UploadAsync(MadeSegment segment, byte[]? bytes = null, string? sha256 = null)
    {
        using var stream = new MemoryStream(bytes ?? segment.Bytes);
        var request = new PutObjectRequest { BucketName = _bucket, Key = segment.Manifest.ObjectKey, InputStream = stream };
        request.Metadata["sha256"] = sha256 ?? segment.Manifest.Sha256;
        await _s3.PutObjectAsync(request);
    }

    public Task AnswerAsync(Guid command, CommandStatus status, string reason = "", double? percent = null) =>
        SendAsync(MqttTopicKind.CommandAck, new CommandAck
        {
            Robot = Id,
            Id = command,
            Status = status,
            Reason = reason,
            Percent = percent,
            TimeNs = Now(),
        });

    /// <summary>The first answer about a segment, or about the session when <paramref name="sequence"/> is null, that decides so.</summary>
    public Task<CustodyMessage> AnswerAsync(Guid session, int? sequence, CustodyDecision decision) => Eventually.Gives(
        () => Task.FromResult(Custody.FirstOrDefault(c => c.Session == session && c.Sequence == sequence && c.Decision == decision)),
        TimeSpan.FromSeconds(60), $"the answer {decision} to {session}/{sequence}");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _receiving;
        await _mqtt.DisposeAsync();
        _s3.Dispose();
        _stop.Dispose();
    }

    private static long Now() => DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1_000_000;

    private async Task ReceiveAsync()
    {
        try
        {
            await foreach (var message in _mqtt.Messages.ReadAllAsync(_stop.Token))
            {
                if (message.Topic.EndsWith("/custody", StringComparison.Ordinal))
                    Custody.Enqueue(ContractJson.Read<CustodyMessage>(message.Payload.Span));
                else
                    Commands.Enqueue(ContractJson.Read<CommandMessage>(message.Payload.Span));
            }
        }
        catch (OperationCanceledException)
        {
        }
    }
}
