using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Upload;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Upload;

[Collection(Servers.Name)]
public sealed class UploadLoopTests(S3Server s3)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Segments_go_up_and_when_all_are_settled_the_certificate_follows_and_the_session_is_finished()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        for (var i = 0; i < 5; i++)
            bench.AddSegment(1000 + i, seed: i);
        await RunAsync(bench, async () =>
        {
            await Eventually.Holds(() => bench.Session.Segments.All(s => s.Custody is Custody.Uploaded), Deadline, "all are uploaded");
            Assert.Equal(10, (await bench.KeysAsync()).Count);
            foreach (var segment in bench.Session.Segments)
                Assert.True(segment.TryAdvance(Custody.Acknowledged));
            await Eventually.Holds(() => bench.Session.State is SessionState.Finished, Deadline, "the session is finished");
        });
        using var answer = await bench.Owner.GetObjectAsync(bench.Bucket, ObjectKeys.Certificate(bench.Session.File.Manifest.ObjectPrefix));
        using var json = new MemoryStream();
        await answer.ResponseStream.CopyToAsync(json);
        var certificate = ContractJson.Read<SessionManifest>(json.ToArray());
        Assert.Equal(SessionState.Finished, certificate.State);
        Assert.Equal(bench.Session.Segments.Select(s => (s.Sequence, s.Manifest.Sha256)), certificate.Segments!.Select(s => (s.Sequence, s.Sha256)));
    }

    [Fact]
    public async Task A_refused_key_raises_one_alarm_and_delivery_goes_on_when_it_is_put_right()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        bench.AddSegment(1000);
        bench.AddSegment(1001);
        await RunAsync(bench, async () =>
        {
            await Eventually.Holds(() => bench.Recording.Alarms.Current.Count == 1, Deadline, "the alarm");
            Assert.Contains("upload refused:", bench.Recording.Alarms.Current[0], StringComparison.Ordinal);
            Assert.All(bench.Session.Segments, s => Assert.NotEqual(Custody.Uploaded, s.Custody));
        }, bench.Settings with { SecretKey = "wrong" });
        await RunAsync(bench, async () =>
        {
            await Eventually.Holds(() => bench.Session.Segments.All(s => s.Custody is Custody.Uploaded), Deadline, "both are uploaded");
            await Eventually.Holds(() => bench.Recording.Alarms.Current.Count == 0, Deadline, "the alarm is cleared");
        });
    }

    [Fact]
    public async Task What_a_cut_link_interrupted_arrives_once_the_link_is_back()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        await using var relay = new TcpRelay(new Uri(s3.Endpoint).Port);
        bench.AddSegment(12 << 20);
        bench.AddSegment(3 << 20, seed: 2);
        relay.Cut(refuse: true);
        var settings = bench.Settings with { Endpoint = $"http://127.0.0.1:{relay.Port}" };
        var loop = bench.Loop(settings);
        using var end = new CancellationTokenSource();
        var running = loop.RunAsync(end.Token);
        await Eventually.Holds(() => loop.Retries >= 2 && loop.LastError.Length > 0 && loop.Failures > 0, Deadline, "both attempts failed");
        Assert.Empty(bench.Recording.Alarms.Current);
        relay.Restore();
        loop.RetryNow();
        await Eventually.Holds(() => bench.Session.Segments.All(s => s.Custody is Custody.Uploaded), Deadline, "both are uploaded");
        await Eventually.Holds(() => loop.LastError.Length == 0, Deadline, "the error is over");
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
        foreach (var segment in bench.Session.Segments)
            Assert.Equal(segment.Manifest.Sha256, (await bench.ReadAsync(segment.Manifest.ObjectKey)).Sha256);
    }

    [Fact]
    public async Task A_session_on_demand_uploads_only_what_was_asked_for_and_that_before_everything_else()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        bench.Session.Update(f => f with { Manifest = f.Manifest with { Upload = UploadPolicy.OnDemand } });
        for (var i = 0; i < 6; i++)
            bench.AddSegment(1000, seed: i, logTimes: (100 * i, 100 * i + 99));
        List<int> order = [];
        bench.Recording.Book.SegmentChanged += s =>
        {
            if (s.Custody is Custody.Uploading)
                order.Add(s.Sequence);
        };
        await RunAsync(bench, async () =>
        {
            bench.Session.Request(new TimeRange(250, 400));
            await Eventually.Holds(() => bench.Session.Segments.Count(s => s.Custody is Custody.Uploaded) == 2, Deadline, "two are uploaded");
            bench.Session.Request(new TimeRange(0, 1));
            await Eventually.Holds(() => bench.Session.Segments.Count(s => s.Custody is Custody.Uploaded) == 3, Deadline, "three are uploaded");
        }, workers: 1);
        Assert.Equal([3, 4, 1], order);
        Assert.Equal([new TimeRange(0, 1), new TimeRange(250, 400)], Agent.Sessions.Session.Load(bench.Session.Folder).File.Manifest.Requested);
        bench.Session.Update(f => f with { Manifest = f.Manifest with { Upload = UploadPolicy.Now } });
        bench.Session.Request(new TimeRange(500, null));
        order.Clear();
        await RunAsync(bench, () => Eventually.Holds(() => bench.Session.Segments.All(s => s.Custody is Custody.Uploaded), Deadline, "all are"), workers: 1);
        Assert.Equal([6, 2, 5], order);
    }

    [Theory, InlineData("here", true), InlineData("wifi-only", false)]
    public async Task A_session_with_a_network_condition_waits_for_that_network(string policy, bool goesUp)
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        bench.Session.Update(f => f with { Manifest = f.Manifest with { Upload = policy } });
        bench.AddSegment(1000, logTimes: (1, 2));
        var asked = bench.AddSegment(1000, logTimes: (10, 11));
        bench.Session.Request(new TimeRange(10, 12));
        var networks = bench.Networks();
        await networks.LookAsync(TestContext.Current.CancellationToken);
        Assert.Equal("lo", networks.Interface);
        await RunAsync(bench, () => Eventually.Holds(
            () => asked.Custody is Custody.Uploaded && (!goesUp || bench.Session.Segments.All(s => s.Custody is Custody.Uploaded)), Deadline, "what may go is uploaded"),
            networks: networks);
        Assert.Equal(goesUp ? Custody.Uploaded : Custody.Sealed, bench.Session.Segments[0].Custody);
    }

    [Fact]
    public async Task Sessions_of_greater_priority_go_first_then_classes_that_matter_more_then_the_oldest()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var classes = (TopicClass[])[TopicClass.Bulk, TopicClass.Normal, TopicClass.Critical, TopicClass.Normal, TopicClass.Bulk];
        for (var i = 0; i < classes.Length; i++)
            bench.AddSegment(1000, seed: i, logTimes: (100 * i, 100 * i + 99), topicClass: classes[i]);
        var urgent = bench.AddSession(priority: 5);
        bench.AddSegment(1000, seed: 9, logTimes: (900, 999), topicClass: TopicClass.Bulk, session: urgent);
        List<(int Priority, int Sequence)> order = [];
        bench.Recording.Book.SegmentChanged += s =>
        {
            if (s.Custody is Custody.Uploading)
                order.Add((s.Session.File.Manifest.Priority, s.Sequence));
        };
        await RunAsync(bench, () => Eventually.Holds(
            () => bench.Recording.Book.All.SelectMany(s => s.Segments).All(s => s.Custody is Custody.Uploaded), Deadline, "all are uploaded"), workers: 1);
        Assert.Equal([(5, 1), (0, 3), (0, 2), (0, 4), (0, 1), (0, 5)], order);
    }

    [Fact]
    public async Task Outside_the_windows_only_what_was_asked_for_goes_up_until_somebody_syncs()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        bench.AddSegment(1000, logTimes: (1, 2));
        var asked = bench.AddSegment(1000, logTimes: (10, 11));
        bench.Session.Request(new TimeRange(10, 12));
        var loop = bench.Loop();
        var now = DateTimeOffset.Now;
        Assert.True(UploadWindows.TryParse($"{now.AddHours(2):HH}:00-{now.AddHours(3):HH}:00", out var later));
        loop.Windows = later;
        using var end = new CancellationTokenSource();
        var running = loop.RunAsync(end.Token);
        await Eventually.Holds(() => asked.Custody is Custody.Uploaded, Deadline, "what was asked for is uploaded");
        Assert.Equal((Custody.Sealed, "upload.windows"), (bench.Session.Segments[0].Custody, loop.WaitsFor));
        loop.SyncUntil(DateTimeOffset.UtcNow.AddMinutes(1));
        await Eventually.Holds(() => bench.Session.Segments[0].Custody is Custody.Uploaded, Deadline, "the other one too");
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task While_the_store_is_out_of_reach_it_is_asked_once_in_a_while_and_not_once_for_every_segment()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        for (var i = 0; i < 100; i++)
            bench.AddSegment(100, seed: i);
        var loop = bench.Loop(bench.Settings with { Endpoint = $"http://127.0.0.1:{FreePort.Next()}" });
        using var end = new CancellationTokenSource();
        var running = loop.RunAsync(end.Token);
        await Eventually.Holds(() => loop.Failures >= 2, Deadline, "it was tried twice");
        Assert.InRange(loop.Retries, 2, 3 * 3);
        Assert.NotNull(loop.NextAttempt);
        Assert.Empty(bench.Recording.Alarms.Current);
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task An_altered_segment_goes_to_quarantine_a_twin_is_an_alarm_and_the_rest_goes_on()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var altered = bench.AddSegment(1000);
        var gone = bench.AddSegment(1000, seed: 2);
        var twin = bench.AddSegment(1000, seed: 3);
        var sound = bench.AddSegment(1000, seed: 4);
        using (var file = File.OpenWrite(altered.MediaPath))
            file.WriteByte((byte)(File.ReadAllBytes(sound.MediaPath)[0] ^ 0xFF));
        File.Delete(gone.MediaPath);
        await bench.Owner.PutObjectAsync(new() { BucketName = bench.Bucket, Key = twin.Manifest.ObjectKey, ContentBody = "a twin's" });
        await RunAsync(bench, () => Eventually.Holds(
            () => sound.Custody is Custody.Uploaded && altered.Custody is Custody.Quarantined && gone.Custody is Custody.Quarantined
                && bench.Recording.Alarms.Current.Count == 3, Deadline, "each has come to its end"), workers: 1);
        Assert.Contains("it was changed", altered.State.Reason, StringComparison.Ordinal);
        Assert.Contains("is gone", gone.State.Reason, StringComparison.Ordinal);
        Assert.Contains(bench.Recording.Alarms.Current, a => a.Contains("is another object", StringComparison.Ordinal));
        Assert.Equal(Custody.Sealed, twin.Custody);
        Assert.False(File.Exists(altered.MediaPath));
        Assert.Single(Directory.GetFiles(Path.Combine(bench.Recording.Configuration.DataDir, "quarantine")));
        Assert.Equal(Custody.Quarantined, Agent.Sessions.Session.Load(bench.Session.Folder).Segments[0].Custody);
    }

    [Fact]
    public async Task What_cannot_be_read_waits_with_an_alarm_and_everything_else_goes_up()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var unreadable = bench.AddSegment(1000);
        var sound = bench.AddSegment(1000, seed: 2);
        File.Delete(unreadable.MediaPath);
        Directory.CreateDirectory(unreadable.MediaPath);
        var loop = bench.Loop(workers: 1);
        using var end = new CancellationTokenSource();
        var running = loop.RunAsync(end.Token);
        await Eventually.Holds(() => sound.Custody is Custody.Uploaded && loop.Retries == 1, Deadline, "one failed, one is uploaded");
        Assert.Equal((Custody.Sealed, 0), (unreadable.Custody, loop.Failures));
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_full_disk_holds_up_the_segment_that_it_concerns_until_there_is_room()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var held = bench.AddSegment(1000);
        var sound = bench.AddSegment(1000, seed: 2);
        FullDisk? full = null;
        bench.Recording.Book.SegmentChanged += s =>
        {
            if (s == held && s.Custody is Custody.Uploading)
                full ??= new FullDisk(Path.Combine(s.Session.Folder, "000001.json"));
        };
        var loop = bench.Loop(workers: 1);
        using var end = new CancellationTokenSource();
        var running = loop.RunAsync(end.Token);
        await Eventually.Holds(() => sound.Custody is Custody.Uploaded, Deadline, "the other one is uploaded");
        Assert.Equal(Custody.Uploading, held.Custody);
        full!.Dispose();
        await Eventually.Holds(() => held.Custody is not Custody.Uploading, Deadline, "it is to be uploaded again");
        loop.RetryNow();
        await Eventually.Holds(() => held.Custody is Custody.Uploaded, Deadline, "it is uploaded");
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    [Fact]
    public async Task A_session_that_is_cancelled_while_its_certificate_is_sent_stays_cancelled_and_is_certified_as_such()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        await using var store = new StubStore();
        store.Received = (key, _) =>
        {
            if (key.EndsWith("/session.json", StringComparison.Ordinal) && bench.Session.State is SessionState.Finishing)
                bench.Session.Update(f => f with { Manifest = f.Manifest with { State = SessionState.Cancelled } });
        };
        await RunAsync(bench, () => Eventually.Holds(() => bench.Session.File.Certified, Deadline, "the certificate"), bench.Settings with { Endpoint = store.Endpoint });
        Assert.Equal(SessionState.Cancelled, bench.Session.State);
        Assert.Equal([SessionState.Finished, SessionState.Cancelled], store.Bodies.Select(b => ContractJson.Read<SessionManifest>(b).State));
    }

    [Fact]
    public async Task Uploads_in_parts_that_nobody_remembers_are_given_up_at_start()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var segment = bench.AddSegment(1000);
        await bench.Store().BeginPartsAsync(segment.Manifest.ObjectKey, segment.Manifest.Sha256, default);
        await bench.Store().BeginPartsAsync(ObjectKeys.Segment(bench.Session.File.Manifest.ObjectPrefix, 99), segment.Manifest.Sha256, default);
        Assert.Equal(2, await bench.OpenMultipartUploadsAsync());
        await RunAsync(bench, () => Eventually.Holds(() => segment.Custody is Custody.Uploaded, Deadline, "it is uploaded"));
        Assert.Equal(0, await bench.OpenMultipartUploadsAsync());
    }

    [Fact]
    public async Task A_cancelled_session_uploads_nothing_and_gives_up_its_parts()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var segment = bench.AddSegment(12 << 20);
        segment.Remember(new() { UploadId = await bench.Store().BeginPartsAsync(segment.Manifest.ObjectKey, segment.Manifest.Sha256, default) });
        bench.Session.Update(f => f with { Manifest = f.Manifest with { State = SessionState.Cancelled } });
        await RunAsync(bench, () => Eventually.Holds(() => bench.Session.File.Certified, Deadline, "the certificate"));
        Assert.Equal(Custody.Discarded, segment.Custody);
        Assert.False(File.Exists(segment.MediaPath));
        Assert.Equal(SessionState.Cancelled, bench.Session.State);
        Assert.EndsWith("session.json", Assert.Single(await bench.KeysAsync()), StringComparison.Ordinal);
        Assert.Equal(0, await bench.OpenMultipartUploadsAsync());
    }

    private static async Task RunAsync(
        UploadBench bench, Func<Task> meanwhile, S3Settings? settings = null, int workers = 3, NetworkConditions? networks = null)
    {
        var loop = bench.Loop(settings, workers, networks);
        using var end = new CancellationTokenSource();
        var running = loop.RunAsync(end.Token);
        await meanwhile();
        await end.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }
}
