using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests;

/// <summary>The main job: what a robot records comes back out as a file, message for message.</summary>
public sealed class RecordToExportTests(EdgeCloudSystem system) : IClassFixture<EdgeCloudSystem>, IDisposable
{
    public void Dispose() => system.ShowLogsOfFailure();

    [Theory]
    [InlineData("topics_and_services")]
    [InlineData("wbag_0")]
    public async Task Every_message_of_a_recording_comes_out_of_its_export_as_it_went_in(string name)
    {
        var input = TestData.Path($"rosbag2/{name}.mcap");
        var expected = Recording.Read(input);
        var robot = name.Replace('_', '-');
        await using var agent = await system.StartAgentAsync(
            robot, $"{{ kind: replay, input: {input}, times: original, loop: false, rate: 0 }}", "recording: { autostart: true, name: whole }");

        var view = await system.Api.WaitForRobotAsync(
            robot, state => state.Sessions.Any(s => s.Messages == expected.Count), $"recorded {expected.Count} messages");
        var session = view.State!.Sessions.Single().Session;
        await SucceedAsync(robot, CommandKind.Finish, session);
        var finished = await system.Api.WaitForSessionAsync(session, s => s.State == SessionState.Finished, "is finished");

        Assert.Equal(expected.Count, finished.Messages);
        Assert.Equal(0, finished.Lost);
        Assert.All(
            await system.Api.SegmentsAsync(session),
            s => Assert.True(s.Custody is Custody.Acknowledged or Custody.Released, $"segment {s.Manifest.Sequence} is {s.Custody}"));
        AssertSame(expected, Recording.Read(await system.ExportAsync(session)));
        await AssertCertifiedAsync(finished);
    }

    [Fact]
    public async Task What_passes_while_a_session_is_paused_is_missing_from_the_export_and_counted_in_the_ledger()
    {
        const string robot = "pausing";
        var input = TestData.Path("rosbag2/chatter_0.mcap");
        var rate = PlayFor(input, seconds: 30);
        await using var agent = await system.StartAgentAsync(
            robot, $"{{ kind: replay, input: {input}, times: original, loop: false, rate: {rate} }}", "recording: { autostart: true, name: paused }");
        var all = Recording.Read(input);

        var view = await system.Api.WaitForRobotAsync(robot, s => s.Sessions.Any(r => r.Messages > 0), "records");
        var session = view.State!.Sessions.Single().Session;
        await SucceedAsync(robot, CommandKind.Pause, session);
        await SucceedAsync(robot, CommandKind.Resume, session);
        await agent.WaitForLineAsync("has no more messages", TimeSpan.FromSeconds(60));
        await SucceedAsync(robot, CommandKind.Finish, session);
        var finished = await system.Api.WaitForSessionAsync(session, s => s.State == SessionState.Finished, "is finished");

        var exported = Recording.Read(await system.ExportAsync(session));
        var missing = all.Except(exported).ToList();
        Assert.NotEmpty(missing);
        Assert.Equal(all.Count, exported.Count + missing.Count);
        Assert.Equal(0, finished.Lost);
        Assert.Single(finished.Pauses!);
        Assert.Equal(
            missing.CountBy(m => m.Topic).OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => (p.Key, (long)p.Value)),
            finished.Ledger!.Where(e => e.Paused > 0).OrderBy(e => e.Topic, StringComparer.Ordinal).Select(e => (e.Topic, e.Paused)));
        Assert.All(finished.Ledger!, e => Assert.Equal(e.Received, e.Recorded + e.Paused));
    }

    // What the agent certified is what the bucket holds, object by object.
    private async Task AssertCertifiedAsync(SessionView finished)
    {
        var verification = await system.Api.GetAsync($"sessions/{finished.Session}/verification?full=true", ApiJsonContext.Default.VerificationView);
        Assert.Empty(verification.Faults);
        Assert.Equal((SessionState.Finished, finished.Messages), (verification.State, verification.Messages));
        Assert.Equal(finished.Segments, verification.Items.Count);
        Assert.All(verification.Items, s => Assert.Equal("", s.Fault));
    }

    private async Task SucceedAsync(string robot, CommandKind command, Guid session)
    {
        var answer = await system.Api.CommandAsync(robot, new CommandRequest { Command = command, Session = session });
        Assert.True(answer.Status == CommandStatus.Succeeded, $"{command} {answer.Status}: {answer.Reason}");
    }

    // The rate at which the recording lasts so long.
    private static string PlayFor(string input, double seconds)
    {
        var messages = Recording.Read(input);
        var length = (messages.Max(m => m.LogTime) - messages.Min(m => m.LogTime)) / 1e9;
        return (length / seconds).ToString("0.######", System.Globalization.CultureInfo.InvariantCulture);
    }

    // Order: (log time, segment, offset), so messages of one log time keep the order in which they were recorded.
    private static void AssertSame(IReadOnlyList<RecordedMessage> expected, IReadOnlyList<RecordedMessage> actual) =>
        Assert.Equal(expected.OrderBy(m => m.LogTime), actual);
}
