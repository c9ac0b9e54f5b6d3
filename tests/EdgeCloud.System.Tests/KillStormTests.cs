using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests;

/// <summary>
/// The agent is killed again and again at random moments while it records and uploads over a narrow link. EDGECLOUD_KILLS sets how often
/// (20 unless set), EDGECLOUD_KILL_SEED the moments.
/// </summary>
public sealed class KillStormTests(EdgeCloudSystem system) : IClassFixture<EdgeCloudSystem>, IDisposable
{
    private const string Robot = "stormy";
    private const string Source = "{ kind: simulated, rate: 0.3 }";
    // Small segments and a cap keep uploads under way all the time.
    private const string Settings = "recording: { autostart: true, segment_seconds: 1, bound_ms: 20 }\nupload: { bandwidth_bytes_per_second: 3000000 }";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);
    private readonly Bucket _bucket = new(system);

    public void Dispose()
    {
        system.ShowLogsOfFailure();
        _bucket.Dispose();
    }

    [Fact]
    public async Task However_often_it_is_killed_no_durable_message_is_missing_none_is_there_twice_and_no_upload_is_left_open()
    {
        var kills = int.Parse(Environment.GetEnvironmentVariable("EDGECLOUD_KILLS") ?? "20");
        var seed = int.Parse(Environment.GetEnvironmentVariable("EDGECLOUD_KILL_SEED") ?? "1");
        var random = new Random(seed);
        HashSet<RecordedMessage> durable = [];
        Guid session = default;
        for (var kill = 0; kill < kills; kill++)
        {
            var agent = await system.StartAgentAsync(Robot, Source, Settings);
            // From the first moments of a start, recovery included, to well into the next segments.
            await agent.WaitForLineAsync("Session ", Deadline);
            await Task.Delay(random.Next(0, kill == 0 ? 3000 : 1500), TestContext.Current.CancellationToken);
            await agent.KillAsync();
            var folder = Directory.GetDirectories(Path.Combine(system.DataDir(Robot), "sessions")).Single();
            session = Guid.Parse(Path.GetFileName(folder));
            durable.UnionWith(Directory.GetFiles(folder, "*.mcap").SelectMany(Recording.Read));
            durable.UnionWith(Directory.GetFiles(folder, "*.mcap.open").SelectMany(Recording.ReadUnfinished));
        }

        await using var last = await system.StartAgentAsync(Robot, Source, Settings);
        await system.Api.WaitForRobotAsync(Robot, s => s.Sessions.Any(r => r.Session == session && r.State == SessionState.Recording), "goes on");
        var finish = await system.Api.CommandAsync(Robot, new CommandRequest { Command = CommandKind.Finish, Session = session });
        Assert.True(finish.Status == CommandStatus.Succeeded, finish.Reason);
        var finished = await system.Api.WaitForSessionAsync(session, s => s.State == SessionState.Finished, "is finished");

        var delivered = await _bucket.MessagesAsync(session);
        Assert.NotEmpty(durable);
        Assert.Empty(durable.Except(delivered));
        Assert.Equal(delivered.Count, delivered.Distinct().Count());
        Assert.Equal(delivered.Count, finished.Messages);
        Assert.Equal(0, await _bucket.OpenUploadsAsync());
        await using var verify = ProductProcess.StartCli(["sessions", "verify", session.ToString(), "--full"], system.CliEnvironment);
        Assert.True(await verify.WaitForExitAsync(Deadline) == 0, verify.Output);
        Assert.Contains("every byte in the bucket is as certified", verify.Output);
        TestContext.Current.TestOutputHelper?.WriteLine($"{kills} kills, {durable.Count} durable and {delivered.Count} delivered messages; {verify.Output}");
    }
}
