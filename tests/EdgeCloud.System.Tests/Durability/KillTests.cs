using System.Globalization;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests.Durability;

/// <summary>The recording process dies without warning, again and again, at random moments under load.</summary>
public sealed class KillTests : IDisposable
{
    /// <summary>More of them, for a soak: <c>EDGECLOUD_KILLS=500</c>.</summary>
    private static readonly int Kills = int.Parse(Environment.GetEnvironmentVariable("EDGECLOUD_KILLS") ?? "20", CultureInfo.InvariantCulture);
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task What_was_reported_durable_is_there_once_and_unaltered_after_every_kill_9()
    {
        var input = _folder["input.mcap"];
        DurableInput.Write(input, messages: 20_000, seed: 1);
        var sent = Recording.Read(input);
        var random = new Random(7);
        var durable = new Dictionary<Guid, long>();
        var run = new DurableRun(input, _folder["data"], _folder["durable.jsonl"]);
        for (var kill = 0; kill < Kills; kill++)
        {
            var before = run.Lines().Count;
            await using var agent = run.Start(null, "--rate", "5", "--compression", random.Next(3) switch { 0 => "none", 1 => "lz4", _ => "zstd" },
                "--bound-ms", random.Next(2) == 0 ? "0" : "50");
            await Eventually.Holds(() => run.Lines().Count > before || agent.HasExited, DurableRun.Deadline, "something is durable");
            await Task.Delay(random.Next(700), TestContext.Current.CancellationToken);
            await agent.KillAsync();
            foreach (var line in run.Lines())
                durable[line.Session] = line.Messages;
        }
        Assert.Equal(Kills, durable.Count);
        var output = await run.RecoverAsync();
        foreach (var (session, messages) in durable)
        {
            Assert.Contains(session.ToString(), output, StringComparison.Ordinal);
            run.Check(session, messages, sent);
        }
        Assert.True(durable.Values.Sum() > 100 * Kills, $"only {durable.Values.Sum()} messages were durable before {Kills} kills");
    }
}
