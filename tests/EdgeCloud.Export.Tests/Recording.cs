using EdgeCloud.Contracts;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Export.Tests;

/// <summary>A message as a person thinks of it: everything that an export has to preserve.</summary>
public sealed record Line(
    string Topic, ulong LogTime, ulong PublishTime, uint Sequence, string Payload, string Schema = "std_msgs/msg/String", string Qos = "",
    bool IsRepeat = false);

/// <summary>Segments in memory, with the plan of an export of them.</summary>
public sealed class Recording
{
    private readonly Dictionary<string, byte[]> _files = [];
    private readonly Dictionary<Guid, List<PlannedSegment>> _sessions = [];
    private int _open;

    /// <summary>The most segments that were open at one time.</summary>
    public int OpenAtMost { get; private set; }

    public static Guid Session(int number) => new(number, 0, 0, new byte[8]);

    public void Add(int session, int sequence, params IReadOnlyList<Line> lines)
    {
        var id = Session(session);
        var key = $"{id}/{sequence}";
        _files[key] = Write(lines);
        var own = lines.Where(l => !l.IsRepeat).Select(l => (long)l.LogTime).DefaultIfEmpty((long)(lines.FirstOrDefault()?.LogTime ?? 0)).ToList();
        if (!_sessions.TryGetValue(id, out var segments))
            _sessions[id] = segments = [];
        segments.Add(new PlannedSegment(id, sequence, key, _files[key].Length, $"sha-{key}", "", own.Min(), own.Max()));
    }

    public void Damage(int session, int sequence)
    {
        var file = _files[$"{Session(session)}/{sequence}"];
        file.AsSpan(file.Length / 3, 16).Fill(0xA5);
    }

    public ExportPlan Plan(TopicSelection? selection = null, long? from = null, long? to = null) => new()
    {
        Id = new Guid(99, 0, 0, new byte[8]),
        Settings = new ExportSettings { Selection = selection, FromNs = from, ToNs = to },
        Sessions = [.. _sessions.Select(s => new PlannedSession
        {
            Id = s.Key,
            Robot = $"robot-{s.Key.ToString()[7]}",
            Segments = PlannedSegment.InRange(s.Value, from, to),
            Missing = [$"{s.Key}/77: discarded"],
            Ledger = [new LedgerEntry { Topic = "/a", Received = 7, Recorded = 4, Paused = 3, Discarded = 2 }],
        })],
    };

    public async Task<byte[]> ExportAsync(ExportPlan plan, IProgress<ExportProgress>? progress = null)
    {
        using var output = new MemoryStream();
        await WriteAsync(plan, output, progress);
        return output.ToArray();
    }

    /// <summary>Makes the only part of a plan and returns what it came to; its file goes to <paramref name="output"/>.</summary>
    public Task<PartResult> WriteAsync(ExportPlan plan, Stream output, IProgress<ExportProgress>? progress = null) =>
        MakeAsync(plan, Assert.Single(plan.Parts()), output, progress);

    /// <summary>Makes a part of one file.</summary>
    public Task<PartResult> MakeAsync(ExportPlan plan, ExportPart part, Stream output, IProgress<ExportProgress>? progress = null) =>
        Exporter(plan).MakePartAsync(part, new OneFile(output), progress, CancellationToken.None);

    public Exporter Exporter(ExportPlan plan) => new(plan, (segment, _) => ValueTask.FromResult(Open(segment)), Path.GetTempPath());

    /// <summary>What a file holds, by log time.</summary>
    public static async Task<List<Line>> ReadAsync(byte[] file)
    {
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(file, "export"), new McapIndexedReaderOptions { AllowScan = false });
        var lines = new List<Line>();
        await foreach (var message in reader.ReadMessages())
        {
            var channel = reader.Channels[message.ChannelId];
            lines.Add(new Line(channel.Topic, message.LogTime, message.PublishTime, message.Sequence,
                System.Text.Encoding.UTF8.GetString(message.Data.Span), reader.Schemas[channel.SchemaId].Name,
                channel.Metadata.GetValueOrDefault("offered_qos_profiles", ""), channel.Metadata.ContainsKey("edgecloud.repeat")));
        }
        return lines;
    }

    private static byte[] Write(IReadOnlyList<Line> lines)
    {
        using var stream = new MemoryStream();
        using (var writer = new McapWriter(stream, new McapWriterOptions { Profile = "ros2", ChunkBytes = 512 }, leaveOpen: true))
        {
            var channels = new Dictionary<(string, string, string, bool), Channel>();
            foreach (var line in lines)
            {
                var key = (line.Topic, line.Schema, line.Qos, line.IsRepeat);
                if (!channels.TryGetValue(key, out var channel))
                {
                    var schema = writer.Schemas.Values.FirstOrDefault(s => s.Name == line.Schema)
                        ?? writer.AddSchema(line.Schema, "ros2msg", "string data"u8.ToArray());
                    var metadata = new Dictionary<string, string>();
                    if (line.Qos.Length > 0)
                        metadata["offered_qos_profiles"] = line.Qos;
                    if (line.IsRepeat)
                        metadata["edgecloud.repeat"] = "true";
                    channels[key] = channel = writer.AddChannel(schema.Id, line.Topic, "cdr", metadata);
                }
                writer.WriteMessage(channel.Id, line.Sequence, line.LogTime, line.PublishTime, System.Text.Encoding.UTF8.GetBytes(line.Payload));
            }
        }
        return stream.ToArray();
    }

    private IByteSource Open(PlannedSegment segment)
    {
        OpenAtMost = Math.Max(OpenAtMost, ++_open);
        return new Counted(new MemoryByteSource(_files[segment.Key], segment.Key), () => _open--);
    }

    private sealed class OneFile(Stream stream) : IExportSink
    {
        public ValueTask<ExportOutput> CreateAsync(string name, string contentType, CancellationToken cancellation) => new(new Output(stream));

        private sealed class Output(Stream stream) : ExportOutput
        {
            public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
                stream.WriteAsync(buffer, cancellationToken);

            public override Task CompleteAsync(CancellationToken cancellation) => Task.CompletedTask;
        }
    }

    private sealed class Counted(IByteSource inner, Action closed) : IByteSource
    {
        public long Length => inner.Length;
        public string Name => inner.Name;

        public ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default) =>
            inner.ReadAsync(offset, target, cancellationToken);

        public ValueTask DisposeAsync()
        {
            closed();
            return inner.DisposeAsync();
        }
    }
}
