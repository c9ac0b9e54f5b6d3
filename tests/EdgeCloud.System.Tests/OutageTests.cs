using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Testing;
using Npgsql;

namespace EdgeCloud.SystemTests;

/// <summary>What the robot depends on goes away and comes back: recording goes on, and everything is delivered without a hand.</summary>
public sealed class OutageTests(EdgeCloudSystem system) : IClassFixture<EdgeCloudSystem>, IDisposable
{
    private const string Source = "{ kind: simulated, rate: 0.1 }";
    private const string Settings = "recording: { autostart: true, segment_seconds: 1 }";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);
    private readonly Bucket _bucket = new(system);

    public void Dispose()
    {
        system.ShowLogsOfFailure();
        _bucket.Dispose();
    }

    [Fact]
    public async Task Control_plane_broker_and_database_come_and_go_and_everything_recorded_meanwhile_is_delivered_in_order()
    {
        const string robot = "patient";
        await using var agent = await system.StartAgentAsync(robot, Source, Settings);
        var view = await system.Api.WaitForRobotAsync(robot, s => s.Sessions.Any(r => r.Messages > 0), "records");
        var session = view.State!.Sessions[0].Session;

        await system.ControlPlane.StopAsync(kill: true);
        await RecordsOnAsync(robot, session);
        await system.ControlPlane.StartAsync();

        await system.Broker.StopAsync();
        await RecordsOnAsync(robot, session);
        await system.Broker.RestartAsync();

        await system.Postgres.StopAsync();
        await RecordsOnAsync(robot, session);
        await system.Postgres.RestartAsync();

        await FinishAsync(robot, session);
        await VerifyAsync(session);
        var segments = await system.Api.SegmentsAsync(session);
        Assert.Equal(Enumerable.Range(1, segments.Count), segments.Select(s => s.Manifest.Sequence));
    }

    [Fact]
    public async Task While_the_bucket_takes_nothing_an_alarm_stands_and_afterwards_all_goes_up()
    {
        const string robot = "locked-out";
        await using var agent = await system.StartAgentAsync(robot, Source, Settings);
        var view = await system.Api.WaitForRobotAsync(robot, s => s.Sessions.Any(r => r.Messages > 0), "records");
        var session = view.State!.Sessions[0].Session;
        await using (await _bucket.MakeReadOnlyAsync())
        {
            await system.Api.WaitForRobotAsync(robot, s => s.Alarms.Any(a => a.Contains("upload refused") && a.Contains("AccessDenied")), "raises the alarm");
            await RecordsOnAsync(robot, session);
        }
        // Nobody has to wait for the next slow attempt.
        var sync = await system.Api.CommandAsync(robot, new CommandRequest { Command = CommandKind.Sync, ExpiresInSeconds = 100 });
        Assert.True(sync.Status == CommandStatus.Succeeded, $"{sync.Status}: {sync.Reason}");
        await system.Api.WaitForRobotAsync(robot, s => s.Alarms.Count == 0, "clears the alarm");
        await FinishAsync(robot, session);
        await VerifyAsync(session);
    }

    [Fact]
    public async Task An_empty_catalogue_is_rebuilt_from_the_bucket_alone_and_a_changed_object_is_found()
    {
        const string robot = "archived";
        await using var agent = await system.StartAgentAsync(robot, Source, Settings);
        var view = await system.Api.WaitForRobotAsync(robot, s => s.Sessions.Any(r => r.Messages > 0), "records");
        var session = view.State!.Sessions[0].Session;
        await RecordsOnAsync(robot, session);
        await FinishAsync(robot, session);
        var before = await RowsAsync(system.ControlPlane.ConnectionString, robot);

        var empty = await system.Postgres.CreateDatabaseAsync();
        var output = await ReindexAsync(empty, expected: 0);
        Assert.Contains($"session {session} of {robot}", output);
        Assert.NotEmpty(before);
        Assert.Equal(before, await RowsAsync(empty, robot));
        // Once more changes nothing.
        await ReindexAsync(empty, expected: 0);
        Assert.Equal(before, await RowsAsync(empty, robot));

        var segment = (await system.Api.SegmentsAsync(session))[0].Manifest;
        var content = await _bucket.ReadAsync(segment.ObjectKey);
        content[^1] ^= 1;
        await _bucket.OverwriteAsync(segment.ObjectKey, content);
        await using var verify = ProductProcess.StartCli(["sessions", "verify", session.ToString()], system.CliEnvironment);
        Assert.Equal(1, await verify.WaitForExitAsync(Deadline));
        Assert.Contains("segment 1: the object's content has SHA-256", verify.Output);
        var other = await system.Postgres.CreateDatabaseAsync();
        Assert.Contains($"{segment.ObjectKey.Replace(".mcap", ".manifest.json")}: the object's content has SHA-256", await ReindexAsync(other, expected: 1));
    }

    /// <summary>Waits until some more segments of a session are sealed or delivered, by the robot's own files.</summary>
    private async Task RecordsOnAsync(string robot, Guid session)
    {
        var folder = Path.Combine(system.DataDir(robot), "sessions", session.ToString());
        int Segments() => Directory.GetFiles(folder, "??????.json").Length;
        var before = Segments();
        await Eventually.Holds(() => Segments() >= before + 2, Deadline, "two more segments are sealed");
    }

    private async Task FinishAsync(string robot, Guid session)
    {
        await system.Api.WaitForRobotAsync(robot, s => s.Sessions.Any(r => r.Session == session), "is back");
        var finish = await system.Api.CommandAsync(robot, new CommandRequest { Command = CommandKind.Finish, Session = session });
        Assert.True(finish.Status == CommandStatus.Succeeded, $"{finish.Status}: {finish.Reason}");
        var finished = await system.Api.WaitForSessionAsync(session, s => s.State == SessionState.Finished, "is finished");
        var delivered = await _bucket.MessagesAsync(session);
        Assert.Equal(finished.Messages, delivered.Count);
        Assert.Equal(delivered.Count, delivered.Distinct().Count());
        Assert.Equal(0, finished.Lost);
    }

    private async Task VerifyAsync(Guid session)
    {
        await using var verify = ProductProcess.StartCli(["sessions", "verify", session.ToString(), "--full"], system.CliEnvironment);
        Assert.True(await verify.WaitForExitAsync(Deadline) == 0, verify.Output);
    }

    private async Task<string> ReindexAsync(string connectionString, int expected)
    {
        await using var process = ProductProcess.StartControlPlane(["reindex"], new Dictionary<string, string>
        {
            ["ConnectionStrings__Catalogue"] = connectionString,
            ["S3__Endpoint"] = system.S3.Endpoint,
            ["S3__Region"] = system.S3.Region,
            ["S3__Bucket"] = system.ControlPlane.Bucket,
            ["S3__Prefix"] = ControlPlaneProcess.Prefix,
            ["S3__AccessKey"] = system.S3.Owner.AccessKey,
            ["S3__SecretKey"] = system.S3.Owner.SecretKey,
        });
        var code = await process.WaitForExitAsync(Deadline);
        Assert.True(code == expected, process.Output);
        return process.Output;
    }

    /// <summary>What a catalogue knows of a robot's recordings, as text; whether the robot still has its copy the bucket cannot tell.</summary>
    private static async Task<List<string>> RowsAsync(string connectionString, string robot)
    {
        await using var data = NpgsqlDataSource.Create(connectionString);
        await using var command = data.CreateCommand(
            """
            select concat_ws(' ', s.id, s.robot, s.date, s.object_prefix, s.name, s.state, s.reason, s.started_at, s.ended_at, s.lost,
                             g.sequence, replace(g.custody, 'released', 'acknowledged'), g.object_key, g.bytes, g.messages, g.lost, g.manifest::text)
            from sessions s join segments g on g.session_id = s.id where s.robot = $1 order by s.id, g.sequence
            """);
        command.Parameters.AddWithValue(robot);
        List<string> rows = [];
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync())
            rows.Add(reader.GetString(0));
        return rows;
    }
}
