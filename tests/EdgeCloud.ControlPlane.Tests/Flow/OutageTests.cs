using System.Net;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Tests.Rest;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Flow;

/// <summary>What happens while something that the control plane needs is away.</summary>
[Collection(nameof(ControlPlaneCollection))]
public sealed class OutageTests(ControlPlaneProcess plane, PostgresServer postgres, MosquittoBroker broker, S3Server s3) : IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private static int _robots;

    private ApiClient _api = null!;
    private ScriptedRobot _robot = null!;

    public async ValueTask InitializeAsync()
    {
        _api = await ApiClient.LoginAsync(plane);
        _robot = await ScriptedRobot.ConnectAsync($"out-{Interlocked.Increment(ref _robots)}", broker, s3, plane.Bucket);
    }

    public async ValueTask DisposeAsync()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(plane.Output);
        await _robot.DisposeAsync();
        _api.Dispose();
    }

    [Fact]
    public async Task While_the_database_is_away_a_message_waits_and_the_api_says_so()
    {
        await postgres.StopAsync();
        try
        {
            await _robot.SendStateAsync();
            await Eventually.Holds(() => plane.Output.Contains($"of robot {_robot.Id} waits for the database"), Deadline, "the message waits");
            var answer = await _api.ReadAsync("/api/v1/sessions");
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Contains("database does not answer", await answer.Content.ReadAsStringAsync());
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await _api.ReadAsync("/readyz")).StatusCode);
            Assert.Equal(HttpStatusCode.OK, (await _api.ReadAsync("/healthz")).StatusCode);
        }
        finally
        {
            await postgres.RestartAsync();
        }
        await Eventually.Holds(
            async () => await _api.TryGetAsync<RobotView>($"/api/v1/robots/{_robot.Id}") is { Online: true }, Deadline, "the message is applied");
    }

    [Fact]
    public async Task After_a_restart_uploaded_segments_are_still_checked_and_old_keys_still_work()
    {
        var session = _robot.Session(Guid.CreateVersion7());
        var segment = _robot.Segment(session, 1, 10, 1_000_000_000);
        await _robot.UploadAsync(segment);
        await plane.StopAsync(kill: true);
        // Sent while nobody listens: only the announcement that is repeated after the restart can reach the catalogue.
        await _robot.AnnounceAsync(segment.Manifest, Custody.Uploaded);
        await plane.StartAsync();
        await _robot.AnnounceAsync(segment.Manifest, Custody.Uploaded);
        await _robot.AnswerAsync(session.Session, 1, CustodyDecision.Acknowledged);
        Assert.NotNull(await _api.TryGetAsync<SessionView>($"/api/v1/sessions/{session.Session}"));
    }
}
