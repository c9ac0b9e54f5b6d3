using System.Globalization;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Sessions;

/// <summary>
/// Sessions over real files against a model: random sequences of messages, pauses, resumes, seals, finishes, crashes and restarts. A crash is a copy
/// of the folder at a moment, on which an agent starts anew. The model knows for each message whether it must be there (sent while recording,
/// and durable before the crash), may be there (not known to be durable), or must not (paused). At the end of each story every session's
/// segments, chain and ledger agree with it.
/// </summary>
public sealed class SessionModelTests
{
    /// <summary>More of them, for a soak: <c>EDGECLOUD_SESSION_STORIES=2000</c>.</summary>
    private static readonly int Stories = int.Parse(
        Environment.GetEnvironmentVariable("EDGECLOUD_SESSION_STORIES") ?? "25", CultureInfo.InvariantCulture);

    [Fact]
    public async Task Sessions_agree_with_their_model_after_any_sequence_of_actions()
    {
        for (var seed = 0; seed < Stories; seed++)
        {
            try
            {
                await TellAsync(new Random(seed));
            }
            catch (Exception failure)
            {
                throw new InvalidOperationException($"Seed {seed}: {failure.Message}", failure);
            }
        }
    }

    private static async Task TellAsync(Random random)
    {
        List<TemporaryFolder> folders = [];
        var bench = SessionBench.Create(Settings);
        var model = new Model((await bench.StartAsync()).Id);
        try
        {
            for (var actions = 5 + random.Next(25); actions > 0; actions--)
            {
                switch (random.Next(10))
                {
                    case < 4:
                        var (topic, count) = ($"/topic{random.Next(3)}", 1 + random.Next(200));
                        bench.Send(topic, count);
                        model.Sent(topic, count);
                        break;
                    case 4:
                        await bench.Desk.SealAsync();
                        model.Durable();
                        break;
                    case 5 when model.IsPaused:
                        await bench.Desk.ResumeAsync(bench.Book.Find(model.Session)!);
                        model.IsPaused = false;
                        break;
                    case 5:
                        await bench.Desk.PauseAsync(bench.Book.Find(model.Session)!);
                        model.Durable();
                        model.IsPaused = true;
                        break;
                    case 6:
                        await bench.Desk.FinishAsync(bench.Book.Find(model.Session)!);
                        model.Durable();
                        model.Saved();
                        model.Begin((await bench.StartAsync()).Id);
                        break;
                    case 7:
                        await WaitUntilWrittenAsync(bench);
                        model.Durable();
                        break;
                    default:
                        if (random.Next(2) == 0)
                        {
                            foreach (var recording in bench.Recorder.Live)
                                recording.Save();
                            model.Saved();
                        }
                        folders.Add(new TemporaryFolder());
                        await bench.CrashIntoAsync(folders[^1].Path);
                        model.Crash();
                        bench = await bench.GoOnAsync(folders[^1].Path);
                        break;
                }
            }
            await bench.Desk.FinishAsync(bench.Book.Find(model.Session)!);
            model.Durable();
            model.Saved();
            Assert.Empty(bench.Damage);
            model.Check(bench.Book);
        }
        finally
        {
            await bench.DisposeAsync();
            folders.ForEach(f => f.Dispose());
        }
    }

    private static Agent.Configuration.RecordingSettings Settings => new() { BoundMs = 5, SegmentBytes = 1 << 20 };

    private static Task WaitUntilWrittenAsync(SessionBench bench) => Eventually.Holds(
        () => bench.Recorder.Live.All(r => r.Log.DurableMessages == r.Log.Channels.Sum(c => c.Accepted)), TimeSpan.FromSeconds(60), "everything is durable");

    /// <summary>What each session owes.</summary>
    private sealed class Model(Guid session)
    {
        private readonly List<Owed> _sent = [];
        private readonly Dictionary<string, uint> _numbers = [];
        private int _life;

        private enum Fate { Accepted, Owed, InDoubt, Paused }

        public Guid Session { get; private set; } = session;

        public bool IsPaused { get; set; }

        public void Begin(Guid next) => (Session, IsPaused) = (next, false);

        public void Sent(string topic, int count)
        {
            for (var i = 0; i < count; i++)
            {
                var number = _numbers[topic] = _numbers.GetValueOrDefault(topic) + 1;
                _sent.Add(new Owed(Session, _life, topic, number) { Fate = IsPaused ? Fate.Paused : Fate.Accepted });
            }
        }

        /// <summary>Everything accepted is durable.</summary>
        public void Durable() => Turn(Fate.Owed);

        /// <summary>Everything that was counted is written down.</summary>
        public void Saved()
        {
            foreach (var message in _sent.Where(m => m.Session == Session && m.Life == _life))
                message.IsCounted = true;
        }

        /// <summary>What was not known to be durable may be there or not.</summary>
        public void Crash()
        {
            Turn(Fate.InDoubt);
            _life++;
        }

        public void Check(SessionBook book)
        {
            foreach (var session in _sent.GroupBy(m => m.Session))
            {
                var recorded = book.Find(session.Key)!;
                var found = SessionBench.Read(recorded).SelectMany(t => t.Value.Select(n => (t.Key, n))).ToList();
                Assert.Equal(found.Count, found.Distinct().Count());
                var there = found.ToHashSet();
                Assert.All(session, m => Assert.True(
                    m.Fate is Fate.InDoubt || (m.Fate is Fate.Owed) == there.Contains((m.Topic, m.Number)), $"{m.Topic} {m.Number}: {m.Fate}"));
                Assert.Empty(there.Except(session.Select(m => (m.Topic, m.Number))));
                // Of those in doubt at one crash the log lost the last ones: it keeps their order.
                Assert.All(session.Where(m => m.Fate is Fate.InDoubt).GroupBy(m => m.Life), life =>
                    Assert.DoesNotContain(life.SkipWhile(m => there.Contains((m.Topic, m.Number))), m => there.Contains((m.Topic, m.Number))));
                CheckLedger(recorded, session);
            }
        }

        private static void CheckLedger(Session recorded, IEnumerable<Owed> sent)
        {
            Assert.True(recorded.IsComplete || recorded.State.IsLive());
            foreach (var topic in sent.GroupBy(m => m.Topic))
            {
                var entry = SessionBench.Ledger(recorded, topic.Key);
                Assert.Equal(0, entry.Lost());
                // Counts of pauses are written down now and then: a crash may take the last of them.
                Assert.InRange(entry.Paused, topic.Count(m => m is { Fate: Fate.Paused, IsCounted: true }), topic.Count(m => m.Fate is Fate.Paused));
                Assert.InRange(entry.Recorded, topic.Count(m => m.Fate is Fate.Owed), topic.Count(m => m.Fate is Fate.Owed or Fate.InDoubt));
            }
        }

        private void Turn(Fate fate)
        {
            foreach (var message in _sent.Where(m => m.Fate is Fate.Accepted))
                message.Fate = fate;
        }

        private sealed record Owed(Guid Session, int Life, string Topic, uint Number)
        {
            public Fate Fate { get; set; }
            public bool IsCounted { get; set; }
        }
    }
}
