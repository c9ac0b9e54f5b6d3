using System.Buffers.Binary;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Contracts;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.Agent.Tests.Sessions;

/// <summary>The recording half of an agent over a folder of the test's own, with a source that the test plays by hand.</summary>
internal sealed class SessionBench : IAsyncDisposable
{
    private readonly TemporaryFolder? _own;
    private readonly Dictionary<string, TopicHandle> _topics = [];
    private readonly Dictionary<string, uint> _sent = [];
    private bool _isDisposed;
    private ulong _time = 1_700_000_000_000_000_000;

    private SessionBench(TemporaryFolder? own, string dataDir, RecordingSettings recording)
    {
        _own = own;
        Configuration = new AgentConfiguration
        {
            Robot = "amr-01",
            DataDir = dataDir,
            // Its log times are its own, as those of a replay with original times.
            Source = new SourceSettings { Kind = SourceKind.Replay, Times = ReplayTimes.Original },
            Recording = recording,
        };
        Recorder = new Recorder(new TopicRules(recording.Topics));
        Book = SessionBook.Open(dataDir, damage => Damage.Add(damage));
        Desk = new SessionDesk(Configuration, Book, Recorder, Alarms, TimeProvider.System, NullLogger.Instance);
    }

    public AgentConfiguration Configuration { get; }

    public List<string> Damage { get; } = [];

    public Alarms Alarms { get; } = new();

    public Recorder Recorder { get; }

    public SessionBook Book { get; }

    public SessionDesk Desk { get; }

    public static SessionBench Create(RecordingSettings? recording = null)
    {
        var folder = new TemporaryFolder();
        return new SessionBench(folder, folder.Path, recording ?? new RecordingSettings { BoundMs = 5 });
    }

    /// <summary>An agent started on a folder that another one left.</summary>
    public static async Task<SessionBench> RestartAsync(string dataDir, RecordingSettings? recording = null)
    {
        var bench = new SessionBench(null, dataDir, recording ?? new RecordingSettings { BoundMs = 5 });
        var recovery = new RestartRecovery(bench.Configuration, bench.Book, bench.Alarms, NullLogger.Instance);
        recovery.Survey();
        foreach (var session in bench.Book.All.Where(s => s.State.IsLive()))
            await bench.Desk.ContinueAsync(session);
        await recovery.RunAsync(CancellationToken.None);
        return bench;
    }

    /// <summary>Copies the data folder as it is at one moment, as if the process had died then.</summary>
    public Task CrashIntoAsync(string folder) =>
        // A name that changes while it is copied would be a state that no disk was ever in.
        Eventually.Holds(() => TryCopy(Configuration.DataDir, folder), TimeSpan.FromSeconds(60), "no name changes while the folder is copied");

    /// <summary>Ends here and goes on with an agent that starts on another folder: topics, times and numbers go on.</summary>
    public async Task<SessionBench> GoOnAsync(string dataDir)
    {
        await DisposeAsync();
        var next = await RestartAsync(dataDir, Configuration.Recording);
        next._time = _time;
        foreach (var (topic, number) in _sent)
            next._sent[topic] = number;
        return next;
    }

    public Task<Session> StartAsync(params string[] include) =>
        Desk.StartAsync(Guid.CreateVersion7(), "test", new TopicSelection { Include = include }, "test");

    /// <summary>Sends messages of 100 bytes, numbered on their topic from 1, whose first four bytes are the number.</summary>
    public void Send(string topic, int count, bool latched = false)
    {
        if (!_topics.TryGetValue(topic, out var handle))
        {
            handle = Recorder.TopicAppeared(new SourceTopic
            {
                Topic = topic,
                MessageEncoding = "cdr",
                Schema = new SourceSchema("test/msg/Number", "ros2msg", "uint32 number\n"u8.ToArray()),
                Latched = latched,
            });
            _topics.Add(topic, handle);
        }
        var payload = new byte[100];
        for (var i = 0; i < count; i++)
        {
            var number = _sent[topic] = _sent.GetValueOrDefault(topic) + 1;
            BinaryPrimitives.WriteUInt32LittleEndian(payload, number);
            _time += 1_000_000;
            Recorder.Message(handle, new MessageTimes(_time, _time - 1000, number), payload);
        }
    }

    public void Lose(string topic, long count) => Recorder.Lost(_topics[topic], count);

    /// <summary>Messages of a session's segments by topic, in order; with repeats instead when asked.</summary>
    public static Dictionary<string, List<uint>> Read(Session session, bool repeats = false)
    {
        var numbers = new Dictionary<string, List<uint>>();
        foreach (var segment in session.Segments.Where(s => s.HasMedia))
        {
            using var reader = new McapStreamReader(File.OpenRead(segment.MediaPath));
            while (reader.ReadMessage(out var message))
            {
                var channel = reader.Channels[message.ChannelId];
                if (channel.Metadata.ContainsKey("edgecloud.repeat") != repeats)
                    continue;
                if (!numbers.TryGetValue(channel.Topic, out var list))
                    numbers.Add(channel.Topic, list = []);
                Assert.Equal(message.Sequence, BinaryPrimitives.ReadUInt32LittleEndian(message.Data.Span));
                list.Add(message.Sequence);
            }
        }
        return numbers;
    }

    /// <summary>The session's ledger of one topic, after the invariants of every ledger and of the chain were checked.</summary>
    public static LedgerEntry Ledger(Session session, string topic)
    {
        var manifest = session.Describe();
        foreach (var entry in session.Segments.SelectMany(s => s.Manifest.Ledger).Concat(manifest.Ledger))
            Assert.Equal(entry.Received, entry.Recorded + entry.DroppedQueue + entry.DroppedDisk + entry.Paused + entry.Limited);
        var recorded = Read(session).Sum(t => t.Value.Count);
        Assert.Equal(recorded, session.Segments.Where(s => s.HasMedia).Sum(s => s.Manifest.Messages));
        string? previous = null;
        Assert.All(session.Segments.Select((s, i) => (s, i)), each =>
        {
            Assert.Equal(each.i + 1, each.s.Sequence);
            Assert.Equal(previous, each.s.Manifest.PreviousSha256);
            previous = each.s.Manifest.Sha256;
        });
        return manifest.Ledger.SingleOrDefault(e => e.Topic == topic) ?? new LedgerEntry { Topic = topic };
    }

    private static bool TryCopy(string from, string to)
    {
        Directory.Delete(to, recursive: true);
        Directory.CreateDirectory(to);
        var before = Names(from);
        try
        {
            foreach (var name in before)
            {
                var target = Path.Combine(to, name);
                Directory.CreateDirectory(Path.GetDirectoryName(target)!);
                File.Copy(Path.Combine(from, name), target);
            }
        }
        catch (IOException)
        {
            return false;
        }
        return before.SequenceEqual(Names(from)) && !before.Any(n => n.EndsWith(".tmp", StringComparison.Ordinal));
    }

    private static List<string> Names(string folder) =>
        [.. Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f)).Order(StringComparer.Ordinal)];

    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        await Desk.DisposeAsync();
        _own?.Dispose();
    }
}
