using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests;

/// <summary>The agent's process ends without warning, in the middle of recording.</summary>
public sealed class SuddenEndTests(EdgeCloudSystem system) : IClassFixture<EdgeCloudSystem>, IDisposable
{
    private const string Robot = "killed";
    private const string Source = "{ kind: simulated, rate: 0.2 }";
    private const string Settings = "recording: { autostart: true, segment_seconds: 3 }";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    public void Dispose() => system.ShowLogsOfFailure();

    [Fact]
    public async Task Nothing_that_was_acknowledged_as_durable_is_missing_after_kill_9_and_nothing_is_there_twice()
    {
        var agent = await system.StartAgentAsync(Robot, Source, Settings);
        var view = await system.Api.WaitForRobotAsync(Robot, s => s.Sessions.Count == 1, "records");
        var session = view.State!.Sessions[0].Session;
        // The first segment may be delivered and gone from the disk by then.
        await Eventually.Holds(
            () => Files(session, "*.mcap.open").Any(f => !f.EndsWith("000001.mcap.open", StringComparison.Ordinal) && IsUnfinishedWith(20, f)),
            Deadline, "one segment is sealed and the next holds committed messages");
        await agent.KillAsync();
        var durable = Files(session, "*.mcap").SelectMany(Recording.Read)
            .Concat(Files(session, "*.mcap.open").SelectMany(Recording.ReadUnfinished)).ToList();

        await using var restarted = await system.StartAgentAsync(Robot, Source, Settings);
        await system.Api.WaitForRobotAsync(
            Robot, s => s.Sessions.Any(r => r.Session == session && r.State == SessionState.Recording), "goes on with the session");
        var finish = await system.Api.CommandAsync(Robot, new CommandRequest { Command = CommandKind.Finish, Session = session });
        Assert.True(finish.Status == CommandStatus.Succeeded, finish.Reason);
        var finished = await system.Api.WaitForSessionAsync(session, s => s.State == SessionState.Finished, "is finished");

        var delivered = await DeliveredAsync(session);
        Assert.NotEmpty(durable);
        Assert.Empty(durable.Except(delivered));
        Assert.Equal(delivered.Count, delivered.Distinct().Count());
        Assert.Equal(delivered.Count, finished.Messages);
    }

    private static bool IsUnfinishedWith(int messages, string path)
    {
        try
        {
            return Recording.ReadUnfinished(path).Count > messages;
        }
        catch (FileNotFoundException)
        {
            return false; // sealed since the folder was listed
        }
    }

    // What lies in the bucket, as the catalogue lists it.
    private async Task<IReadOnlyList<RecordedMessage>> DeliveredAsync(Guid session)
    {
        using var s3 = system.S3.Connect();
        var messages = new List<RecordedMessage>();
        foreach (var segment in await system.Api.SegmentsAsync(session))
        {
            using var answer = await s3.GetObjectAsync(system.ControlPlane.Bucket, segment.Manifest.ObjectKey);
            using var file = new MemoryStream();
            await answer.ResponseStream.CopyToAsync(file);
            messages.AddRange(Recording.Read(file.ToArray()));
        }
        return messages;
    }

    private IReadOnlyList<string> Files(Guid session, string pattern)
    {
        var folder = Path.Combine(system.DataDir(Robot), "sessions", session.ToString());
        return Directory.Exists(folder) ? [.. Directory.GetFiles(folder, pattern)] : [];
    }
}
