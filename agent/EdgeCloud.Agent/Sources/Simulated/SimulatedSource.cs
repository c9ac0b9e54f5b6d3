namespace EdgeCloud.Agent.Sources.Simulated;

/// <summary>
/// Plays a <see cref="SimulatedRobot"/> in real time. Stamps follow the schedule exactly; log times are the moments of delivery. A process
/// that was held up delivers what it missed, as a robot's drivers would.
/// </summary>
/// <param name="seed">Robots of one seed drive the same way.</param>
/// <param name="rate">Factor on every topic's message rate.</param>
/// <param name="clock">The wall clock.</param>
internal sealed class SimulatedSource(int seed, double rate, TimeProvider clock) : ISource
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(5);

    public string Name => "simulated";

    public async Task RunAsync(ISourceSink sink, CancellationToken cancellation)
    {
        var robot = new SimulatedRobot(seed);
        var schedule = robot.Topics.Select(t => new Line(t, sink.TopicAppeared(t.Topic))).ToArray();
        var startNs = clock.NowNs();
        var startTicks = clock.GetTimestamp();
        using var timer = new PeriodicTimer(Tick, clock);
        do
        {
            var elapsedNs = clock.GetElapsedTime(startTicks).Ticks * TimeSpan.NanosecondsPerTick;
            foreach (var line in schedule)
                Deliver(line, sink, startNs, elapsedNs);
        }
        while (await timer.WaitForNextTickAsync(cancellation));
    }

    private void Deliver(Line line, ISourceSink sink, long startNs, long elapsedNs)
    {
        var periodNs = line.Topic.Hz == 0 ? double.PositiveInfinity : 1e9 / (line.Topic.Hz * rate);
        while ((line.Sent == 0 ? 0 : line.Sent * periodNs) is var dueNs && dueNs <= elapsedNs)
        {
            var stampNs = startNs + (long)dueNs;
            var payload = line.Topic.Write(dueNs / 1e9, stampNs, line.Sent);
            sink.Message(line.Handle, new MessageTimes((ulong)clock.NowNs(), (ulong)stampNs, line.Sent), payload);
            line.Sent++;
        }
    }

    private sealed class Line(SimulatedTopic topic, TopicHandle handle)
    {
        public SimulatedTopic Topic { get; } = topic;
        public TopicHandle Handle { get; } = handle;
        public uint Sent { get; set; }
    }
}
