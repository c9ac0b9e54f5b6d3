using System.Net;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Tests.Flow;
using EdgeCloud.ControlPlane.Tests.Rest;
using EdgeCloud.ControlPlane.Tests.Sessions.Preview;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Sessions;

/// <summary>A session that is a stretch of another one shows that stretch, wherever somebody looks.</summary>
[Collection(nameof(ControlPlaneCollection))]
public sealed class EventSessionTests(ControlPlaneProcess plane, MosquittoBroker broker, S3Server s3) : IAsyncLifetime
{
    private const long Start = 1_767_225_600_000_000_000;
    private const long Second = 1_000_000_000;
    private static int _robots;

    private ApiClient _api = null!;
    private ScriptedRobot _robot = null!;
    private SessionManifest _parent = null!;

    // Four segments of four seconds with ten samples a second, each of which holds its number.
    public async ValueTask InitializeAsync()
    {
        _api = await ApiClient.LoginAsync(plane);
        _robot = await ScriptedRobot.ConnectAsync($"eventful-{Interlocked.Increment(ref _robots)}", broker, s3, plane.Bucket);
        _parent = _robot.Session(Guid.CreateVersion7(), SessionState.Finished, lastSequence: 4);
        await _robot.AnnounceAsync(_parent);
        for (var i = 0; i < 4; i++)
            await PreviewRecording.DeliverAsync(_robot, PreviewRecording.Segment(_robot, _parent, i + 1, Samples(i * 40, 40), lost: i));
    }

    public async ValueTask DisposeAsync()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(plane.Output);
        await _robot.DisposeAsync();
        _api.Dispose();
    }

    private static List<MadeMessage> Samples(int first, int count) =>
        [.. Enumerable.Range(first, count).Select(i => new MadeMessage("/sample", At(i), PreviewRecording.Sample(i)))];

    private static long At(int sample) => Start + (sample * Second / 10);

    private async Task<Guid> EventAsync(int first, int last, int[]? segments, Guid? parent = null)
    {
        var made = _robot.Session(Guid.CreateVersion7(), segments is null ? SessionState.Finishing : SessionState.Finished) with
        {
            StartedNs = At(first),
            EndedNs = At(last),
            Ledger = [],
            Event = new EventClip
            {
                Parent = parent ?? _parent.Session,
                FromNs = At(first),
                ToNs = At(last),
                Triggers = [new TriggerNote { AtNs = At(last - 10), Reason = "bumper", Issuer = "rule:bumper" }],
                Segments = segments,
            },
        };
        await _robot.AnnounceAsync(made);
        await _robot.AnswerAsync(made.Session, null, CustodyDecision.Noted);
        return made.Session;
    }

    [Fact]
    public async Task It_has_the_segments_of_its_parent_that_hold_its_time_and_nothing_outside_of_it_counts()
    {
        // From the middle of the second segment to the middle of the third.
        var id = await EventAsync(60, 99, [2, 3]);

        var view = await _api.GetAsync<SessionView>($"/api/v1/sessions/{id}");
        Assert.Equal((_parent.Session, 2, 3L), (view.Event!.Parent, view.Segments, view.Lost));
        Assert.InRange(view.Messages, 39, 41);
        Assert.InRange(Assert.Single(view.Topics!).Messages, 39, 41);
        Assert.Equal((At(60), At(99)), (view.Topics![0].FirstLogTimeNs, view.Topics[0].LastLogTimeNs));
        Assert.Equal(3, Assert.Single(view.Ledger!).DroppedQueue);
        Assert.Contains(id, (await _api.GetAsync<SessionView>($"/api/v1/sessions/{_parent.Session}")).Events!);
        var segments = (await _api.GetAsync<Page<SegmentView>>($"/api/v1/sessions/{id}/segments")).Items;
        Assert.Equal([(_parent.Session, 2), (_parent.Session, 3)], segments.Select(s => (s.Manifest.Session, s.Manifest.Sequence)));

        var plot = await _api.GetAsync<SeriesView>($"/api/v1/sessions/{id}/preview/series?field=/sample:value&columns=4000");
        Assert.Equal((At(60), At(99) + 1), (plot.FromNs, plot.ToNs));
        Assert.Equal(Enumerable.Range(60, 40).Select(i => (double?)i), plot.Series[0].V.Where(v => v is not null));
        foreach (var (asked, found) in new[] { (0, 60), (60, 60), (75, 75), (99, 99), (150, 99) })
        {
            var message = await _api.GetAsync<MessageView>($"/api/v1/sessions/{id}/preview/message?topic=/sample&at_ns={At(asked)}");
            Assert.Equal(At(found), message.LogTimeNs);
        }

        var estimate = await _api.PostAsync<ExportEstimate>("/api/v1/exports/estimate", new { sessions = new[] { id } });
        Assert.Equal((2, 0), (estimate.Segments, estimate.MissingSegments.Count));
        Assert.InRange(estimate.Messages, 39, 41);
        // The range of a request within an event's own.
        estimate = await _api.PostAsync<ExportEstimate>("/api/v1/exports/estimate", new { sessions = new[] { id }, to_ns = At(80) });
        Assert.Equal(1, estimate.Segments);
        Assert.InRange(estimate.Messages, 19, 20);
    }

    [Fact]
    public async Task An_export_of_it_has_the_messages_of_its_time_and_says_what_of_it_is_not_there()
    {
        var whole = await ExportAsync(await EventAsync(60, 99, [2, 3]));
        Assert.Equal((ExportState.Succeeded, 40L, false), (whole.State, whole.Messages, whole.IsIncomplete));

        // The robot may yet record the end of one, and another's parent was never heard of.
        var open = await ExportAsync(await EventAsync(150, 170, null));
        Assert.Equal((10L, $"{_parent.Session}/5: not announced"), (open.Messages, Assert.Single(open.MissingSegments)));
        var orphan = await EventAsync(0, 20, [1], parent: Guid.CreateVersion7());
        Assert.Equal(0, (await _api.GetAsync<SessionView>($"/api/v1/sessions/{orphan}")).Segments);
        Assert.Single((await ExportAsync(orphan)).MissingSegments);
    }

    [Fact]
    public async Task A_robot_cannot_make_an_event_of_what_another_recorded()
    {
        await using var other = await ScriptedRobot.ConnectAsync($"thief-{_robot.Id}", broker, s3, plane.Bucket);
        var made = other.Session(Guid.CreateVersion7(), SessionState.Finished) with
        {
            Event = new EventClip { Parent = _parent.Session, FromNs = At(0), ToNs = At(100), Segments = [1] },
        };
        await other.AnnounceAsync(made);
        await other.AnswerAsync(made.Session, null, CustodyDecision.Noted);

        Assert.Empty((await _api.GetAsync<Page<SegmentView>>($"/api/v1/sessions/{made.Session}/segments")).Items);
        Assert.DoesNotContain(made.Session, (await _api.GetAsync<SessionView>($"/api/v1/sessions/{_parent.Session}")).Events!);
    }

    [Fact]
    public async Task Robots_and_a_range_mean_each_message_once()
    {
        await EventAsync(60, 99, [2, 3]);

        var estimate = await _api.PostAsync<ExportEstimate>("/api/v1/exports/estimate", new { robots = new[] { _robot.Id }, from_ns = 0 });

        Assert.Equal((1, 160L), (estimate.Sessions, estimate.Messages));
    }

    [Fact]
    public async Task It_is_found_by_the_topics_and_types_of_its_time_whichever_was_announced_first()
    {
        var (early, late) = (await EventAsync(0, 39, [1]), await EventAsync(160, 199, null));
        Assert.Equal([early, _parent.Session], await FoundAsync("topic=/sample"));
        Assert.Equal([early, _parent.Session], await FoundAsync("type=test_msgs/msg/Sample"));

        MadeMessage[] messages = [.. Samples(150, 50), new MadeMessage("/image", At(199), PreviewRecording.Image(1, 1, "mono8", 1, [7]))];
        await PreviewRecording.DeliverAsync(_robot, PreviewRecording.Segment(_robot, _parent, 5, messages));

        Assert.Equal([early, late, _parent.Session], await FoundAsync("topic=/sample"));
        Assert.Equal([late, _parent.Session], await FoundAsync("topic=/ima*"));
        Assert.Equal([late, _parent.Session], await FoundAsync("type=*/Image"));
        var latest = await EventAsync(190, 199, [5]);
        Assert.Equal([late, latest, _parent.Session], await FoundAsync("topic=/image"));

        async Task<IEnumerable<Guid>> FoundAsync(string condition)
        {
            var found = (await _api.GetAsync<Page<SessionView>>($"/api/v1/sessions?robot={_robot.Id}&{condition}")).Items.Select(s => s.Session).ToHashSet();
            Guid[] all = [early, late, .. found.Except([early, late, _parent.Session]), _parent.Session];
            return all.Where(found.Contains);
        }
    }

    [Fact]
    public async Task A_session_with_an_event_is_not_deleted_before_it()
    {
        var id = await EventAsync(60, 99, [2, 3]);

        using var refused = await _api.DeleteAsync($"/api/v1/sessions/{_parent.Session}");
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains(id.ToString(), await refused.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);

        foreach (var deleted in new[] { id, _parent.Session })
        {
            using var answer = await _api.DeleteAsync($"/api/v1/sessions/{deleted}");
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }
        using var tooEarly = await _api.SendAsync($"/api/v1/sessions/{id}/restore", null);
        Assert.Equal(HttpStatusCode.Conflict, tooEarly.StatusCode);
        foreach (var restored in new[] { _parent.Session, id })
            await _api.PostAsync<SessionView>($"/api/v1/sessions/{restored}/restore");
    }

    private async Task<ExportView> ExportAsync(Guid session)
    {
        var created = await _api.PostAsync<ExportView>("/api/v1/exports", new { sessions = new[] { session }, allow_incomplete = true });
        return await Eventually.Gives(
            async () => await _api.GetAsync<ExportView>($"/api/v1/exports/{created.Id}") is { State: ExportState.Succeeded or ExportState.Failed } over ? over : null,
            TimeSpan.FromSeconds(60), "the export is over");
    }
}
