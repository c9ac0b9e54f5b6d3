using System.Diagnostics;
using System.Net;
using System.Text.Json;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests.Exports;

/// <summary>The life of an export beside success: damage, retry, cancellation, expiry, limits. Over the API, made by a worker process.</summary>
[Collection(nameof(ExportStage))]
public sealed class LifeTests(ExportStage stage) : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
    private readonly List<ProductProcess> _workers = [];

    public void Dispose()
    {
        stage.System.ShowLogsOfFailure();
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
            _workers.ForEach(w => TestContext.Current.TestOutputHelper?.WriteLine($"--- worker\n{w.Output}"));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_segment_that_is_damaged_or_gone_fails_the_export_by_name_and_the_rest_is_delivered_to_those_who_allow_it(bool isGone)
    {
        var recording = await stage.RecordAsync("damaged", 3, framesPerSegment: 1);
        var bad = recording.Segments[1];
        var whole = await stage.ReplaceAsync(bad.ObjectKey, null);
        if (!isGone)
            await stage.RestoreAsync(bad.ObjectKey, [.. whole.Reverse()]);
        await using var worker = Start();

        var refused = await stage.CreateAsync(new ExportRequest { Sessions = [recording.Session], PartBytes = 1 << 20 });
        var failed = await stage.WaitAsync(refused.Id, e => e.State == ExportState.Failed, "has failed");
        Assert.Contains($"{recording.Session}/2", failed.Error);
        Assert.Contains("Part ", failed.Error);
        Assert.Contains(failed.Parts!, p => p.State == ExportPartState.Failed && p.Error.Contains(bad.ObjectKey, StringComparison.Ordinal));
        Assert.Null(failed.DownloadUrl);

        var allowed = await stage.CreateAsync(new ExportRequest { Sessions = [recording.Session], PartBytes = 1 << 20, AllowIncomplete = true });
        var incomplete = await stage.SucceedAsync(allowed.Id);
        Assert.True(incomplete.IsIncomplete);
        Assert.Contains(incomplete.Problems, p => p.Contains($"{recording.Session}/2", StringComparison.Ordinal));
        Assert.Equal(recording.Messages - bad.Messages, incomplete.Messages);
        var manifest = await ReadManifestAsync(incomplete.Id);
        Assert.False(manifest.GetProperty("complete").GetBoolean());
        Assert.NotEmpty(manifest.GetProperty("problems").EnumerateArray());

        // Repaired, the failed one is made from where it was.
        await stage.RestoreAsync(bad.ObjectKey, whole);
        await stage.ChangeAsync(refused.Id, "retry");
        var repaired = await stage.SucceedAsync(refused.Id);
        Assert.Equal((false, recording.Messages), (repaired.IsIncomplete, repaired.Messages));
        Assert.Empty(repaired.Problems);
    }

    [Fact]
    public async Task A_cancelled_export_stops_at_once_and_leaves_nothing_in_the_bucket()
    {
        var recording = await stage.RecordAsync("given-up", 2);
        await using var relay = new TcpRelay(new Uri(stage.System.S3.Endpoint).Port);
        await using var worker = Start(("S3__Endpoint", $"http://127.0.0.1:{relay.Port}"));
        await worker.WaitForLineAsync("Application started", Deadline);
        relay.Freeze();
        var created = await stage.CreateAsync(new ExportRequest { Sessions = [recording.Session] });
        await stage.WaitAsync(created.Id, e => e.Parts!.Any(p => p.State == ExportPartState.Running), "is under way");

        var cancelled = await stage.ChangeAsync(created.Id, "cancel");
        relay.Restore();

        Assert.Equal(ExportState.Cancelled, cancelled.State);
        Assert.All(cancelled.Parts!, p => Assert.Equal(ExportPartState.Cancelled, p.State));
        await worker.WaitForLineAsync($"The files of export {created.Id} are deleted", Deadline);
        Assert.Empty(await stage.KeysAsync(created.Id));
        Assert.Equal(ExportState.Cancelled, (await stage.GetAsync(created.Id)).State);
        var again = await Assert.ThrowsAsync<HttpRequestException>(() => stage.ChangeAsync(created.Id, "cancel"));
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
    }

    [Fact]
    public async Task The_files_of_an_expired_export_are_deleted_and_its_record_stays()
    {
        var recording = await stage.RecordAsync("expired", 1, framesPerSegment: 1);
        await using var worker = Start();
        var export = await stage.SucceedAsync((await stage.CreateAsync(new ExportRequest { Sessions = [recording.Session] })).Id);
        Assert.True(export.ExpiresAt > export.FinishedAt);
        Assert.NotEmpty(await stage.KeysAsync(export.Id));

        await stage.ChangeAsync(export.Id, "expire");
        await Eventually.Holds(async () => (await stage.KeysAsync(export.Id)).Count == 0, Deadline, "its files are deleted");

        var expired = await stage.GetAsync(export.Id);
        Assert.Equal((ExportState.Expired, null), (expired.State, expired.DownloadUrl));
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => stage.FilesAsync(export.Id));
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
    }

    [Fact]
    public async Task An_upload_that_no_export_knows_is_given_up()
    {
        var bucket = stage.System.ControlPlane.Bucket;
        var stray = Guid.CreateVersion7();
        await stage.S3.InitiateMultipartUploadAsync(bucket, $"exports/{stray}/lost.mcap");
        Assert.NotEmpty(await stage.KeysAsync(stray));

        await using var worker = Start(("Exports__AbandonedHours", "0"));

        await Eventually.Holds(async () => (await stage.KeysAsync(stray)).Count == 0, Deadline, "it is given up");
    }

    [Fact]
    public async Task A_user_has_so_many_exports_at_a_time_and_is_told_before_asking()
    {
        var recording = await stage.RecordAsync("much-wanted", 1, framesPerSegment: 1);
        var request = new ExportRequest { Sessions = [recording.Session] };
        var created = new List<Guid>();
        for (var i = 0; i < 3; i++)
            created.Add((await stage.CreateAsync(request)).Id);

        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => stage.CreateAsync(request));
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("3 exports of admin are not over yet", refused.Message);
        Assert.Equal((await EstimateAsync(request)).Refusal, Detail(refused.Message));

        foreach (var id in created)
            await stage.ChangeAsync(id, "cancel");
        var estimate = await EstimateAsync(request);
        Assert.Equal(("", 1, 1, recording.Messages), (estimate.Refusal, estimate.Sessions, estimate.Segments, estimate.Messages));
        Assert.Equal(recording.Segments[0].Bytes, estimate.InputBytes);
        Assert.Equal(recording.PayloadBytes, estimate.PayloadBytes);
        Assert.Equal(MixedMessages.Channels.Select(c => c.Topic).Order(StringComparer.Ordinal), estimate.Topics.Select(t => t.Topic));
    }

    [Fact]
    public async Task An_estimate_counts_what_of_a_range_is_there_in_proportion()
    {
        var recording = await stage.RecordAsync("estimated", 2, framesPerSegment: 2);
        var second = recording.Segments[1];
        var request = new ExportRequest
        {
            Robots = ["estimated"],
            FromNs = second.LogTimeStartNs,
            ToNs = second.LogTimeStartNs + 50_000_000,
            Selection = new TopicSelection { Include = ["/imu/data"] },
        };

        var estimate = await EstimateAsync(request);

        Assert.Equal((1, 1), (estimate.Sessions, estimate.Segments));
        Assert.InRange(estimate.Messages, MixedMessages.ImusPerFrame * 0.9, MixedMessages.ImusPerFrame * 1.1);
        Assert.Equal("/imu/data", Assert.Single(estimate.Topics).Topic);
        Assert.InRange(estimate.Seconds, 0.049, 0.051);
    }

    [Fact]
    public async Task Every_format_comes_out_of_a_worker_with_a_manifest_that_lists_its_files()
    {
        var recording = await stage.RecordAsync("in-formats", 2, framesPerSegment: 1);
        await using var worker = Start();
        foreach (var format in ExportFormats.All)
        {
            if (format == ExportFormats.Parquet && !File.Exists(Repository.PathTo(".local", "duckdb", "libduckdb.so")))
                continue; // infra/duckdb fetches it, infra/test does so
            var created = await stage.CreateAsync(new ExportRequest { Sessions = [recording.Session], Format = format, PartBytes = 1 << 20 });
            var export = await stage.SucceedAsync(created.Id);

            Assert.Equal((format, recording.Messages, 2), (format, export.Messages, export.PartsTotal));
            var manifest = await ReadManifestAsync(export.Id);
            Assert.True(manifest.GetProperty("complete").GetBoolean(), format);
            Assert.Equal(export.PlanHash, manifest.GetProperty("plan_hash").GetString());
            var listed = manifest.GetProperty("files").EnumerateArray().Select(f => (f.GetProperty("name").GetString()!, f.GetProperty("sha256").GetString()!));
            var there = (await stage.FilesAsync(export.Id)).Where(f => f.Path is not ("manifest.json" or "README.md")).Select(f => (f.Path, f.Sha256));
            Assert.Equal(listed.Order(), there.Order());
        }
    }

    [Fact]
    public async Task A_part_whose_disk_is_full_says_so_and_goes_on_when_there_is_room()
    {
        using var folder = new TemporaryFolder();
        if (!await RunAsync("mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder.Path))
            Assert.Skip("A file system of its own size cannot be mounted here; that takes root.");
        try
        {
            var recording = await stage.RecordAsync("cramped", 1, framesPerSegment: 4);
            await using var worker = Start(("Exports__SpillFolder", folder.Path));
            var created = await stage.CreateAsync(new ExportRequest { Sessions = [recording.Session], Format = ExportFormats.Numpy });

            var waiting = await stage.WaitAsync(created.Id, e => e.Parts!.Any(p => p.Error.Length > 0), "says what it waits for");
            Assert.Contains($"The disk of {folder.Path}", waiting.Parts![0].Error);
            Assert.Equal(ExportState.Running, waiting.State);

            Assert.True(await RunAsync("mount", "-o", "remount,size=512m", folder.Path));
            Assert.Equal(recording.Messages, (await stage.SucceedAsync(created.Id)).Messages);
        }
        finally
        {
            await RunAsync("umount", "--lazy", folder.Path);
        }
    }

    private static async Task<bool> RunAsync(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        await process.WaitForExitAsync();
        return process.ExitCode == 0;
    }

    private Task<ExportEstimate> EstimateAsync(ExportRequest request) =>
        stage.System.Api.PostAsync("exports/estimate", request, ApiJsonContext.Default.ExportRequest, ApiJsonContext.Default.ExportEstimate);

    private static string Detail(string message) =>
        JsonDocument.Parse(message[message.IndexOf('{')..]).RootElement.GetProperty("detail").GetString()!;

    private async Task<JsonElement> ReadManifestAsync(Guid export)
    {
        var file = (await stage.FilesAsync(export)).Single(f => f.Path == "manifest.json");
        using var http = new HttpClient();
        return JsonDocument.Parse(await http.GetByteArrayAsync(file.Url)).RootElement;
    }

    private ProductProcess Start(params (string Name, string Value)[] settings)
    {
        var worker = stage.StartWorker(settings);
        _workers.Add(worker);
        return worker;
    }
}
