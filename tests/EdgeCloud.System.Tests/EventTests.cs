using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests;

/// <summary>What a trigger keeps of a recording comes out of its export: the messages of its time, and no other.</summary>
public sealed class EventTests(EdgeCloudSystem system) : IClassFixture<EdgeCloudSystem>, IDisposable
{
    private static readonly TimeSpan CliDeadline = TimeSpan.FromSeconds(90);

    public void Dispose() => system.ShowLogsOfFailure();

    [Fact]
    public async Task An_export_of_an_event_has_exactly_the_messages_of_its_time()
    {
        const string robot = "triggered";
        await using var agent = await system.StartAgentAsync(
            robot, "{ kind: simulated, seed: 3 }", "recording: { autostart: true, name: whole, segment_seconds: 2 }");
        var view = await system.Api.WaitForRobotAsync(robot, s => s.Sessions.Any(r => r.Messages > 2000), "has recorded some");
        var parent = view.State!.Sessions.Single().Session;

        await using (var mark = ProductProcess.StartAgent(["mark", "bump", "against the door", "--config", system.ConfigurationFile(robot)]))
            Assert.True(await mark.WaitForExitAsync(CliDeadline) == 0, mark.Output);
        var events = await Eventually.Gives(
            async () => (await system.Api.GetAsync($"events?session={parent}", ApiJsonContext.Default.PageEventView)).Items is { Count: > 0 } items ? items : null,
            TimeSpan.FromSeconds(60), "the robot's mark is on its session");
        Assert.Equal(("bump", "against the door", $"robot:{robot}"), (events[0].Kind, events[0].Text, events[0].Author));

        var trigger = new CommandRequest { Command = CommandKind.Trigger, Session = parent, Name = "bumper", Span = new TriggerSpan { PreSeconds = 1.5, PostSeconds = 1.5 } };
        var answer = await system.Api.CommandAsync(robot, trigger);
        Assert.True(answer.Status == CommandStatus.Succeeded, answer.Reason);
        var listed = await Eventually.Gives(
            async () => (await system.Api.GetAsync($"sessions?robot={robot}", ApiJsonContext.Default.PageSessionView)).Items
                .FirstOrDefault(s => s is { Event: not null, State: SessionState.Finished }),
            TimeSpan.FromSeconds(60), "the event is delivered");
        await system.Api.CommandAsync(robot, new CommandRequest { Command = CommandKind.Finish, Session = parent });
        await system.Api.WaitForSessionAsync(parent, s => s.State == SessionState.Finished, "is finished");

        var whole = Recording.Read(await system.ExportAsync(parent));
        var clip = listed.Event!;
        Assert.Equal((parent, 3_000_000_000), (clip.Parent, clip.ToNs - clip.FromNs));
        var expected = whole.Where(m => m.LogTime >= (ulong)clip.FromNs && m.LogTime <= (ulong)clip.ToNs).ToList();
        Assert.InRange(expected.Count, 100, whole.Count - 100);
        Assert.Equal(expected, Recording.Read(await system.ExportAsync(listed.Session)));

        var segments = await system.Api.SegmentsAsync(listed.Session);
        Assert.Equal(clip.Segments!, segments.Select(s => s.Manifest.Sequence));
        Assert.All(segments, s => Assert.Equal(parent, s.Manifest.Session));
        await using var show = ProductProcess.StartCli(["sessions", "show", listed.Session.ToString()], system.CliEnvironment);
        Assert.Equal(0, await show.WaitForExitAsync(CliDeadline));
        Assert.Contains($"{parent}", show.Output, StringComparison.Ordinal);
    }
}
