using System.Security.Cryptography;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Contracts;

namespace EdgeCloud.Benchmarks.Upload;

/// <summary>A data folder of an agent with sealed segments of random bytes.</summary>
internal sealed class Recordings(string dataDir)
{
    public const string Robot = "bench";
    private const int PartBytes = 8 << 20;

    public SessionBook Book { get; } = SessionBook.Open(dataDir, damage => throw new InvalidOperationException(damage));

    /// <summary>Adds a session that is over.</summary>
    public Session AddSession(string prefix)
    {
        var id = Guid.CreateVersion7();
        return Book.Create(new SessionManifest
        {
            Robot = Robot,
            Session = id,
            State = SessionState.Finishing,
            ObjectPrefix = ObjectKeys.SessionPrefix(prefix, Robot, DateTimeOffset.UtcNow, id),
            StartedNs = 1,
            AgentVersion = "bench",
        });
    }

    /// <summary>Writes the file of a segment; answers the segment, sealed and not chained, so that the hashing is done before it is measured.</summary>
    public static SegmentFile Write(Session session, int sequence, int bytes)
    {
        var content = new byte[bytes];
        new Random(sequence).NextBytes(content);
        var path = Path.Combine(session.Folder, ObjectKeys.SegmentName(sequence) + ".mcap");
        File.WriteAllBytes(path, content);
        using var etags = new FileETagReader(new LinuxFiles(), 2 * PartBytes, PartBytes);
        var tag = etags.Read(path, bytes);
        return Describe(session, sequence, bytes, Convert.ToHexStringLower(SHA256.HashData(content)), tag.ETag) with { PartMd5s = tag.PartMd5s };
    }

    /// <summary>The state of a sealed segment with as many topics as a robot has.</summary>
    public static SegmentFile Describe(Session session, int sequence, long bytes, string sha256, string etag) => new()
    {
        Custody = Custody.Sealed,
        PartBytes = PartBytes,
        Manifest = new SegmentManifest
        {
            Robot = Robot,
            Session = session.Id,
            Sequence = sequence,
            ObjectKey = ObjectKeys.Segment(session.File.Manifest.ObjectPrefix, sequence),
            Bytes = bytes,
            Sha256 = sha256,
            ETag = etag,
            LogTimeStartNs = sequence * 60_000_000_000L,
            LogTimeEndNs = sequence * 60_000_000_000L + 59_999_999_999,
            Messages = 1000,
            Topics = [.. Enumerable.Range(0, 20).Select(i => new TopicSummary
            {
                Topic = $"/robot/sensor_{i}/data", Type = "sensor_msgs/msg/Imu", SchemaHash = new string('a', 64), Encoding = "cdr",
                Messages = 50, Bytes = bytes / 20, FirstLogTimeNs = sequence * 60_000_000_000L, LastLogTimeNs = sequence * 60_000_000_000L + 59_999_999_999,
            })],
            Ledger = [.. Enumerable.Range(0, 20).Select(i => new LedgerEntry { Topic = $"/robot/sensor_{i}/data", Received = 50, Recorded = 50 })],
            Clock = new ClockFacts { WallNs = 1, MonotonicNs = 1, BootId = "bench" },
            AgentVersion = "bench",
        },
    };
}
