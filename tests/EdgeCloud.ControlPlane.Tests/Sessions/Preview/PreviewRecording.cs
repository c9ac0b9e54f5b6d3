using System.Security.Cryptography;
using System.Text;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Tests.Flow;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.ControlPlane.Tests.Sessions.Preview;

/// <summary>A message of a recording that a test makes.</summary>
internal sealed record MadeMessage(string Topic, long LogTimeNs, byte[] Data);

/// <summary>Makes segments with known messages.</summary>
internal static class PreviewRecording
{
    public const string Header = "builtin_interfaces/Time stamp\nstring frame_id\n";
    private const string Separator = "================================================================================\n";

    /// <summary>Types by topic: name and definition.</summary>
    public static readonly Dictionary<string, (string Type, string Definition)> Topics = new()
    {
        ["/sample"] = ("test_msgs/msg/Sample", "uint64 big\nfloat64 value # [m/s]\nstring text\nfloat32[] ranges\n"),
        ["/image"] = ("sensor_msgs/msg/Image", WithHeader("std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\nuint8[] data\n")),
        ["/compressed"] = ("sensor_msgs/msg/CompressedImage", WithHeader("std_msgs/Header header\nstring format\nuint8[] data\n")),
        ["/diagnostics"] = ("diagnostic_msgs/msg/DiagnosticArray", WithHeader("std_msgs/Header header\nDiagnosticStatus[] status\n")
            + Separator + "MSG: diagnostic_msgs/DiagnosticStatus\nbyte level\nstring name\nstring message\nstring hardware_id\nKeyValue[] values\n"
            + Separator + "MSG: diagnostic_msgs/KeyValue\nstring key\nstring value\n"),
    };

    /// <summary>A sample message.</summary>
    public static byte[] Sample(double value, ulong big = 0, string text = "", int ranges = 0, float last = 0)
    {
        var payload = new CdrPayload().UInt64(big).Float64(value).Text(text).UInt32((uint)ranges);
        for (var i = 0; i < ranges; i++)
            payload.Float32(i == ranges - 1 ? last : i);
        return payload.ToArray();
    }

    /// <summary>An image message.</summary>
    public static byte[] Image(int width, int height, string encoding, int step, byte[] data) =>
        new CdrPayload().Header().UInt32((uint)height).UInt32((uint)width).Text(encoding).Byte(0).UInt32((uint)step).Bytes(data).ToArray();

    /// <summary>A segment of those messages, in their order. <paramref name="damage"/> may spoil the file before its hashes are taken.</summary>
    public static MadeSegment Segment(
        ScriptedRobot robot, SessionManifest session, int sequence, IReadOnlyList<MadeMessage> messages, Action<byte[]>? damage = null, long lost = 0)
    {
        using var stream = new MemoryStream();
        using (var writer = new McapWriter(stream, new McapWriterOptions { Profile = "ros2", ChunkBytes = 256 << 10 }, leaveOpen: true))
        {
            var channels = new Dictionary<string, ushort>();
            foreach (var message in messages)
            {
                if (!channels.TryGetValue(message.Topic, out var channel))
                {
                    var (type, definition) = Topics[message.Topic];
                    var schema = writer.AddSchema(type, "ros2msg", Encoding.UTF8.GetBytes(definition));
                    channels.Add(message.Topic, channel = writer.AddChannel(schema.Id, message.Topic, "cdr").Id);
                }
                writer.WriteMessage(channel, 1, (ulong)message.LogTimeNs, (ulong)message.LogTimeNs, message.Data);
            }
        }
        var bytes = stream.ToArray();
        damage?.Invoke(bytes);
        return new MadeSegment(bytes, new SegmentManifest
        {
            Robot = robot.Id,
            Session = session.Session,
            Sequence = sequence,
            ObjectKey = ObjectKeys.Segment(session.ObjectPrefix, sequence),
            Bytes = bytes.Length,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(bytes)),
            ETag = Convert.ToHexStringLower(MD5.HashData(bytes)),
            LogTimeStartNs = messages.Min(m => m.LogTimeNs),
            LogTimeEndNs = messages.Max(m => m.LogTimeNs),
            Messages = messages.Count,
            Topics = [.. messages.GroupBy(m => m.Topic).Select(g => new TopicSummary
            {
                Topic = g.Key,
                Type = Topics[g.Key].Type,
                Encoding = "cdr",
                Messages = g.Count(),
                Bytes = g.Sum(m => m.Data.Length),
                FirstLogTimeNs = g.Min(m => m.LogTimeNs),
                LastLogTimeNs = g.Max(m => m.LogTimeNs),
            })],
            Ledger = lost == 0 ? [] : [new LedgerEntry { Topic = "/sample", Received = messages.Count + lost, Recorded = messages.Count, DroppedQueue = lost }],
            Clock = new ClockFacts { WallNs = messages.Min(m => m.LogTimeNs), MonotonicNs = 1, BootId = "boot" },
            AgentVersion = "1.0",
        });
    }

    /// <summary>Uploads and announces a segment and waits until it is acknowledged.</summary>
    public static async Task DeliverAsync(ScriptedRobot robot, MadeSegment segment)
    {
        await robot.UploadAsync(segment);
        await robot.AnnounceAsync(segment.Manifest, Custody.Uploaded);
        await robot.AnswerAsync(segment.Manifest.Session, segment.Manifest.Sequence, CustodyDecision.Acknowledged);
    }

    private static string WithHeader(string definition) =>
        definition + Separator + "MSG: std_msgs/Header\n" + Header + Separator + "MSG: builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n";
}
