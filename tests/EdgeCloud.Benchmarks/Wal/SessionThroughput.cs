using System.Diagnostics;
using EdgeCloud.Agent;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.Benchmarks.Wal;

/// <summary>A source of 20 topics, and sessions that record them all: the whole way of a message, loss ledger included.</summary>
internal sealed class RecordingBench : IAsyncDisposable
{
    private readonly string _folder;

    public RecordingBench(string folder, ChunkCompression compression)
    {
        _folder = Path.Combine(folder, "data");
        Directory.CreateDirectory(_folder);
        Configuration = new AgentConfiguration
        {
            Robot = "bench",
            DataDir = _folder,
            Source = new SourceSettings { Kind = SourceKind.Simulated },
            Recording = new RecordingSettings { Compression = compression },
        };
        Book = SessionBook.Open(_folder, damage => throw new InvalidOperationException(damage));
        Desk = new SessionDesk(Configuration, Book, Recorder, new Alarms(), TimeProvider.System, NullLogger.Instance);
        Topics = [.. Enumerable.Range(0, 20).Select(i => Recorder.TopicAppeared(new SourceTopic
        {
            Topic = $"/topic{i}",
            MessageEncoding = "cdr",
            Schema = new SourceSchema("demo/msg/Bytes", "ros2msg", "uint8[] data\n"u8.ToArray()),
            Class = TopicClass.Critical,
        }))];
    }

    public AgentConfiguration Configuration { get; }

    public SessionBook Book { get; }

    public Recorder Recorder { get; } = new(new TopicRules([]));

    public SessionDesk Desk { get; }

    public TopicHandle[] Topics { get; }

    public Session Start() =>
        Desk.StartAsync(Guid.CreateVersion7(), "bench", TopicSelection.All, "bench").GetAwaiter().GetResult();

    public async ValueTask DisposeAsync()
    {
        await Desk.DisposeAsync();
        Directory.Delete(_folder, recursive: true);
    }
}

/// <summary>How many messages a second sessions that share topics take from one source that waits for room, everything durable at the end.</summary>
internal sealed record SessionThroughput(double MessagesPerSecond, double BytesPerSecond, double CpuSeconds, double Seconds)
{
    /// <param name="folder">Where.</param>
    /// <param name="payload">Bytes of a message.</param>
    /// <param name="bytes">Payload bytes that arrive, about.</param>
    /// <param name="sessions">How many record them all: that many times the bytes are written.</param>
    public static SessionThroughput Measure(string folder, int payload, long bytes, int sessions)
    {
        var bench = new RecordingBench(folder, ChunkCompression.None);
        try
        {
            for (var i = 0; i < sessions; i++)
                bench.Start();
            var data = Payloads.Make(payload, 64);
            var messages = bytes / payload;
            var cpu = Environment.CpuUsage.TotalTime;
            var start = Stopwatch.GetTimestamp();
            for (long i = 0; i < messages; i++)
            {
                var room = bench.Recorder.RoomAsync(payload, CancellationToken.None);
                if (!room.IsCompletedSuccessfully)
                    room.AsTask().Wait();
                bench.Recorder.Message(bench.Topics[i % 20], new MessageTimes((ulong)i, (ulong)i, (uint)i), data[i & 63]);
            }
            bench.Desk.SealAsync().Wait();
            var seconds = Stopwatch.GetElapsedTime(start).TotalSeconds;
            var used = (Environment.CpuUsage.TotalTime - cpu).TotalSeconds;
            var durable = bench.Recorder.Live.Sum(r => r.Log.DurableMessages);
            if (durable != messages * sessions)
                throw new InvalidOperationException($"{durable} of {messages * sessions} messages are durable.");
            return new SessionThroughput(messages / seconds, durable * (double)payload / seconds, used, seconds);
        }
        finally
        {
            bench.DisposeAsync().AsTask().Wait();
        }
    }
}
