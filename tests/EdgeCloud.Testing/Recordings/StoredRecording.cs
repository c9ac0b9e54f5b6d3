using System.Security.Cryptography;
using Amazon.S3;
using Amazon.S3.Model;
using EdgeCloud.Contracts;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Writing;
using Npgsql;

namespace EdgeCloud.Testing;

/// <summary>
/// A finished session of <see cref="MixedMessages"/> in bucket and catalogue, as if a robot had delivered it: every segment acknowledged.
/// </summary>
public sealed class StoredRecording
{
    /// <summary>Session id.</summary>
    public Guid Session { get; } = Guid.CreateVersion7();

    /// <summary>Its segments' manifests, in order.</summary>
    public List<SegmentManifest> Segments { get; } = [];

    /// <summary>Payload bytes.</summary>
    public long PayloadBytes { get; private set; }

    /// <summary>Messages.</summary>
    public long Messages => Segments.Sum(s => s.Messages);

    /// <summary>
    /// Makes it: <paramref name="segments"/> segments of <paramref name="framesPerSegment"/> frames (1.54 MB of payload each).
    /// </summary>
    /// <param name="connectionString">The catalogue, migrated.</param>
    /// <param name="s3">A client that may write.</param>
    /// <param name="bucket">The bucket.</param>
    /// <param name="robot">Robot id.</param>
    /// <param name="segments">How many segments.</param>
    /// <param name="framesPerSegment">Frames of each.</param>
    /// <param name="frameMs">From one frame to the next, ms of log time.</param>
    public static async Task<StoredRecording> MakeAsync(
        string connectionString, IAmazonS3 s3, string bucket, string robot, int segments, int framesPerSegment, int frameMs = 50)
    {
        var frameNs = (ulong)frameMs * 1_000_000;
        var recording = new StoredRecording();
        var startedAt = new DateTimeOffset(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
        var prefix = ObjectKeys.SessionPrefix("recordings", robot, startedAt, recording.Session);
        var messages = new MixedMessages();
        await using var db = NpgsqlDataSource.Create(connectionString);
        await recording.InsertSessionAsync(db, robot, prefix, startedAt, startedAt + TimeSpan.FromMilliseconds(segments * framesPerSegment * frameMs), segments);
        for (var sequence = 1; sequence <= segments; sequence++)
        {
            var first = (ulong)startedAt.ToUnixTimeMilliseconds() * 1_000_000 + (ulong)((sequence - 1) * framesPerSegment) * frameNs;
            var (bytes, topics) = WriteSegment(messages, (sequence - 1) * framesPerSegment, framesPerSegment, first, frameNs);
            var manifest = new SegmentManifest
            {
                Robot = robot,
                Session = recording.Session,
                Sequence = sequence,
                ObjectKey = ObjectKeys.Segment(prefix, sequence),
                Bytes = bytes.Length,
                Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
                ETag = Convert.ToHexStringLower(MD5.HashData(bytes)),
                LogTimeStartNs = topics.Min(t => t.FirstLogTimeNs),
                LogTimeEndNs = topics.Max(t => t.LastLogTimeNs),
                Messages = topics.Sum(t => t.Messages),
                Topics = topics,
                Ledger = [.. topics.Select(t => new LedgerEntry { Topic = t.Topic, Received = t.Messages, Recorded = t.Messages })],
                Clock = new ClockFacts { WallNs = (long)first, MonotonicNs = 1, BootId = "boot" },
                AgentVersion = "test",
            };
            await s3.PutObjectAsync(new PutObjectRequest { BucketName = bucket, Key = manifest.ObjectKey, InputStream = new MemoryStream(bytes) });
            await InsertSegmentAsync(db, manifest, startedAt);
            recording.Segments.Add(manifest);
            recording.PayloadBytes += topics.Sum(t => t.Bytes);
        }
        return recording;
    }

    private static (byte[] Bytes, IReadOnlyList<TopicSummary> Topics) WriteSegment(MixedMessages messages, int firstFrame, int frames, ulong firstNs, ulong frameNs)
    {
        using var stream = new MemoryStream();
        using var writer = new McapWriter(
            stream, new McapWriterOptions { Profile = "ros2", Library = "tests", ChunkBytes = 4 << 20, Compression = McapCompression.Zstd }, leaveOpen: true);
        var channels = MixedMessages.Channels
            .Select(c => writer.AddChannel(writer.AddSchema(c.Type, "ros2msg", System.Text.Encoding.UTF8.GetBytes(c.Definition)).Id, c.Topic, "cdr").Id).ToArray();
        var counts = new (long Messages, long Bytes, long First, long Last)[channels.Length];
        void Write(MixedMessages.Kind kind, int number, ulong time)
        {
            var payload = messages.Make(kind, number, time - 1_000);
            writer.WriteMessage(channels[(int)kind], (uint)number, time, time - 1_000, payload);
            ref var count = ref counts[(int)kind];
            count = (count.Messages + 1, count.Bytes + payload.Length, count.Messages == 0 ? (long)time : count.First, (long)time);
        }
        for (var frame = firstFrame; frame < firstFrame + frames; frame++)
        {
            var time = firstNs + (ulong)(frame - firstFrame) * frameNs;
            Write(MixedMessages.Kind.Image, frame, time);
            Write(MixedMessages.Kind.Cloud, frame, time + 1);
            for (var i = 0; i < MixedMessages.ImusPerFrame; i++)
                Write(MixedMessages.Kind.Imu, frame * MixedMessages.ImusPerFrame + i, time + 2 + (ulong)i * frameNs / MixedMessages.ImusPerFrame);
            for (var i = 0; i < MixedMessages.OdometriesPerFrame; i++)
                Write(MixedMessages.Kind.Odometry, frame * MixedMessages.OdometriesPerFrame + i, time + 3 + (ulong)i * frameNs / MixedMessages.OdometriesPerFrame);
            for (var i = 0; i < MixedMessages.TransformsPerFrame; i++)
                Write(MixedMessages.Kind.Transform, frame * MixedMessages.TransformsPerFrame + i, time + 4 + (ulong)i * frameNs / MixedMessages.TransformsPerFrame);
        }
        writer.Finish();
        return (stream.ToArray(), [.. MixedMessages.Channels.Select((c, i) => new TopicSummary
        {
            Topic = c.Topic,
            Type = c.Type,
            SchemaHash = Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(c.Definition))),
            Encoding = "cdr",
            Messages = counts[i].Messages,
            Bytes = counts[i].Bytes,
            FirstLogTimeNs = counts[i].First,
            LastLogTimeNs = counts[i].Last,
        })]);
    }

    private async Task InsertSessionAsync(
        NpgsqlDataSource db, string robot, string prefix, DateTimeOffset startedAt, DateTimeOffset endedAt, int segments)
    {
        await using var robots = db.CreateCommand(
            """
            insert into robots (id, online, first_seen_at, state_revision_epoch, state_revision_number, telemetry_revision_epoch, telemetry_revision_number)
            values ($1, false, now(), 0, 0, 0, 0) on conflict do nothing
            """);
        robots.Parameters.Add(new NpgsqlParameter { Value = robot });
        await robots.ExecuteNonQueryAsync();
        await using var session = db.CreateCommand(
            """
            insert into sessions (id, robot, date, object_prefix, revision_epoch, revision_number, name, state, reason, issuer, started_at, ended_at,
                                  lost, created_at, updated_at)
            values ($1, $2, $3, $4, 1, 1, 'mixed', 'finished', '', 'test', $5, $6, 0, now(), now())
            """);
        foreach (var value in new object[] { Session, robot, DateOnly.FromDateTime(startedAt.UtcDateTime), prefix, startedAt, endedAt })
            session.Parameters.Add(new NpgsqlParameter { Value = value });
        await session.ExecuteNonQueryAsync();
    }

    private static async Task InsertSegmentAsync(NpgsqlDataSource db, SegmentManifest manifest, DateTimeOffset startedAt)
    {
        await using var segment = db.CreateCommand(
            """
            insert into segments (session_date, session_id, sequence, robot, custody, announced, revision_epoch, revision_number, reason, object_key,
                                  bytes, messages, lost, log_time_start_ns, log_time_end_ns, manifest, announced_at, acknowledged_at, updated_at)
            values ($1, $2, $3, $4, 'acknowledged', 'acknowledged', 1, 1, '', $5, $6, $7, 0, $8, $9, $10::jsonb, now(), now(), now())
            """);
        foreach (var value in new object[]
        {
            DateOnly.FromDateTime(startedAt.UtcDateTime), manifest.Session, manifest.Sequence, manifest.Robot, manifest.ObjectKey, manifest.Bytes,
            manifest.Messages, manifest.LogTimeStartNs, manifest.LogTimeEndNs, System.Text.Encoding.UTF8.GetString(ContractJson.Write(manifest)),
        })
            segment.Parameters.Add(new NpgsqlParameter { Value = value });
        await segment.ExecuteNonQueryAsync();
    }
}
