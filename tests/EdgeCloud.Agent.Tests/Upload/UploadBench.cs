using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Tests.Sessions;
using EdgeCloud.Agent.Upload;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.Agent.Tests.Upload;

/// <summary>A session with segments of any size, and a bucket for them.</summary>
internal sealed class UploadBench : IAsyncDisposable
{
    public const string Prefix = "recordings";
    private const int PartBytes = 5 << 20;
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(30);
    private readonly List<IDisposable> _stores = [];

    private UploadBench(SessionBench recording, Session session, string endpoint, string bucket, S3Key robot, AmazonS3Client owner)
    {
        (Recording, Session, Bucket, Owner) = (recording, session, bucket, owner);
        Settings = new S3Settings { Endpoint = endpoint, Bucket = bucket, Prefix = Prefix, AccessKey = robot.AccessKey, SecretKey = robot.SecretKey };
    }

    public SessionBench Recording { get; }

    public Session Session { get; }

    public string Bucket { get; }

    /// <summary>The control plane's view of the bucket.</summary>
    public AmazonS3Client Owner { get; }

    public S3Settings Settings { get; }

    public static async Task<UploadBench> CreateAsync(S3Server s3)
    {
        var bucket = await s3.CreateBucketAsync();
        var robot = await s3.AddRobotAsync(bucket, Prefix, "amr-01");
        var recording = SessionBench.Create();
        var session = NewSession(recording, priority: 0);
        var owner = s3.Connect();
        return new UploadBench(recording, session, s3.Endpoint, bucket, robot, owner);
    }

    /// <summary>Adds a session that is over.</summary>
    public Session AddSession(int priority) => NewSession(Recording, priority);

    private static Session NewSession(SessionBench recording, int priority)
    {
        var id = Guid.CreateVersion7();
        return recording.Book.Create(new SessionManifest
        {
            Robot = "amr-01",
            Session = id,
            State = SessionState.Finishing,
            ObjectPrefix = ObjectKeys.SessionPrefix(Prefix, "amr-01", DateTimeOffset.UtcNow, id),
            StartedNs = 1,
            Priority = priority,
            AgentVersion = "test",
        });
    }

    /// <summary>Adds a sealed segment of random bytes: 5 MiB parts unless said otherwise, one request up to two parts.</summary>
    public Segment AddSegment(int bytes, int seed = 1, (long First, long Last) logTimes = default, TopicClass topicClass = TopicClass.Normal, int partBytes = PartBytes,
        Session? session = null)
    {
        var to = session ?? Session;
        var sequence = to.Segments.Count + 1;
        var path = Path.Combine(to.Folder, $"{ObjectKeys.SegmentName(sequence)}.mcap");
        var content = new byte[bytes];
        new Random(seed).NextBytes(content);
        File.WriteAllBytes(path, content);
        using var etags = new FileETagReader(new LinuxFiles(), 2 * partBytes, partBytes);
        var tag = etags.Read(path, bytes);
        to.AddToChain(new SegmentFile
        {
            Custody = Custody.Sealed,
            PartBytes = partBytes,
            PartMd5s = tag.PartMd5s,
            Class = topicClass,
            Manifest = new SegmentManifest
            {
                Robot = "amr-01",
                Session = to.Id,
                Sequence = sequence,
                ObjectKey = ObjectKeys.Segment(to.File.Manifest.ObjectPrefix, sequence),
                Bytes = bytes,
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(content)),
                ETag = tag.ETag,
                LogTimeStartNs = logTimes.First,
                LogTimeEndNs = logTimes.Last,
                Clock = new ClockFacts { WallNs = 1, MonotonicNs = 1, BootId = "" },
                AgentVersion = "test",
            },
        });
        return to.Segments[^1];
    }

    public ObjectStore Store(S3Settings? settings = null)
    {
        var store = new ObjectStore(settings ?? Settings, StallLimit);
        _stores.Add(store);
        return store;
    }

    /// <summary>Uploads one segment, as a worker would.</summary>
    public Task UploadAsync(Segment segment, S3Settings? settings = null, BandwidthCap? cap = null, CancellationToken cancellation = default) =>
        new SegmentUpload(Store(settings), cap ?? new BandwidthCap(0, TimeProvider.System)).RunAsync(segment, cancellation);

    public UploadLoop Loop(S3Settings? settings = null, int workers = 3, NetworkConditions? networks = null) => new(
        Recording.Book, Store(settings), new BandwidthCap(0, TimeProvider.System), networks ?? Networks(),
        new AbandonedUploads(Recording.Book, Store(settings), ObjectKeys.RobotPrefix(Prefix, "amr-01"), NullLogger.Instance),
        workers, Recording.Alarms, TimeProvider.System, NullLogger.Instance);

    /// <summary>The robot's network: over loopback holds "here", over a wireless LAN nothing.</summary>
    public NetworkConditions Networks() => new(
        new Dictionary<string, IReadOnlyList<string>> { ["here"] = ["lo", "x*"], ["wifi-only"] = ["wl*"] }, Settings.Endpoint);

    /// <summary>Content and SHA-256 metadata of an object.</summary>
    public async Task<(string Sha256, string Metadata)> ReadAsync(string key)
    {
        using var answer = await Owner.GetObjectAsync(Bucket, key);
        return (Convert.ToHexStringLower(await SHA256.HashDataAsync(answer.ResponseStream)), answer.Metadata["sha256"]);
    }

    public async Task<List<string>> KeysAsync()
    {
        List<string> keys = [];
        await foreach (var found in Owner.Paginators.ListObjectsV2(new ListObjectsV2Request { BucketName = Bucket }).S3Objects)
            keys.Add(found.Key);
        return keys;
    }

    public async Task<int> OpenMultipartUploadsAsync() =>
        ((await Owner.ListMultipartUploadsAsync(new ListMultipartUploadsRequest { BucketName = Bucket })).MultipartUploads ?? []).Count;

    public async ValueTask DisposeAsync()
    {
        foreach (var store in _stores)
            store.Dispose();
        Owner.Dispose();
        await Recording.DisposeAsync();
    }
}
