using System.Security.Cryptography;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Testing;
using Npgsql;

namespace EdgeCloud.SystemTests.Exports;

/// <summary>
/// Workers end, stall and lose S3 in the middle of an export, and it comes out as if nothing had happened. <c>EDGECLOUD_EXPORT_SEGMENTS</c>
/// raises the size for a soak: 6 MB of payload each.
/// </summary>
[Collection(nameof(ExportStage))]
public sealed class WorkerTests(ExportStage stage) : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(2);
    private static readonly int Segments =
        int.TryParse(Environment.GetEnvironmentVariable("EDGECLOUD_EXPORT_SEGMENTS"), out var segments) ? segments : 8;

    private readonly List<ProductProcess> _workers = [];

    public void Dispose()
    {
        stage.System.ShowLogsOfFailure();
        if (TestContext.Current.TestState?.Result == TestResult.Failed)
            _workers.ForEach(w => TestContext.Current.TestOutputHelper?.WriteLine($"--- worker\n{w.Output}"));
    }

    [Fact]
    public async Task An_export_of_two_workers_one_of_which_is_killed_is_whole_and_equal_to_the_undisturbed_one()
    {
        var recording = await stage.RecordAsync("killed", Segments);
        await using var relay = new TcpRelay(new Uri(stage.System.S3.Endpoint).Port);
        await using var first = Start(("S3__Endpoint", $"http://127.0.0.1:{relay.Port}"));
        await using var second = Start(("S3__Endpoint", $"http://127.0.0.1:{relay.Port}"));
        var deadline = Deadline + TimeSpan.FromSeconds(Segments);
        var undisturbed = await stage.SucceedAsync((await stage.CreateAsync(Request(recording))).Id, deadline);
        Assert.True(undisturbed.PartsTotal > 3, $"{undisturbed.PartsTotal} parts");
        Assert.Equal(recording.Messages, undisturbed.Messages);

        var created = await stage.CreateAsync(Request(recording));
        await stage.WaitAsync(created.Id, e => e.PartsDone > 0 && IsAt(e, first), "is under way, with the first worker at a part");
        // Both stand still in the middle of what they do, so that the end of the one is sure to come in the middle of a part.
        relay.Freeze();
        await stage.WaitAsync(created.Id, e => IsAt(e, first), "has a part at the first worker");
        await first.KillAsync();
        relay.Restore();
        var disturbed = await stage.SucceedAsync(created.Id, deadline);

        Assert.Contains(disturbed.Parts!, p => p.Attempts > 1);
        Assert.Equal(undisturbed.PlanHash, disturbed.PlanHash);
        Assert.Equal(await stage.DataFilesAsync(undisturbed.Id), await stage.DataFilesAsync(disturbed.Id));
        await AssertWholeAsync(disturbed);
    }

    [Fact]
    public async Task A_worker_that_was_taken_for_dead_and_wakes_up_can_publish_nothing()
    {
        var recording = await stage.RecordAsync("stalled", 2);
        await using var relay = new TcpRelay(new Uri(stage.System.S3.Endpoint).Port);
        await using var stalled = Start(("S3__Endpoint", $"http://127.0.0.1:{relay.Port}"));
        await stalled.WaitForLineAsync("Application started", Deadline);
        relay.Freeze();
        var created = await stage.CreateAsync(Request(recording));
        await stage.WaitAsync(created.Id, e => IsAt(e, stalled), "is at the first worker");
        stalled.Freeze();
        await using var other = Start();
        var export = await stage.SucceedAsync(created.Id);
        var files = await stage.FilesAsync(created.Id);

        stalled.Thaw();
        relay.Restore();
        await stalled.WaitForLineAsync("taken up by another worker", Deadline);

        Assert.Contains(export.Parts!, p => p.Attempts > 1);
        Assert.Equal(files.Select(f => (f.Path, f.Sha256)), (await stage.FilesAsync(created.Id)).Select(f => (f.Path, f.Sha256)));
        await AssertWholeAsync(await stage.GetAsync(created.Id));
    }

    [Fact]
    public async Task A_worker_that_stands_still_with_the_schedulers_lock_keeps_nobody_waiting()
    {
        var recording = await stage.RecordAsync("locked", 1);
        await using var stalled = Start();
        await stalled.WaitForLineAsync("Application started", Deadline);
        await using var database = NpgsqlDataSource.Create(stage.System.ControlPlane.ConnectionString);
        await Eventually.Holds(
            async () => await CountAsync(database, "select count(*) from quartz.qrtz_locks") == 2, Deadline, "the scheduler has made its locks");
        await using (var connection = await database.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            // in the order in which a worker takes them: otherwise each could wait for what the other has
            await using (var locks = new NpgsqlCommand("select * from quartz.qrtz_locks order by lock_name for update", connection))
                await locks.ExecuteNonQueryAsync();
            await Eventually.Holds(
                async () => await CountAsync(database, "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%qrtz_locks%'") > 0,
                Deadline, "the worker waits for a lock of the scheduler");
            stalled.Freeze();
            await transaction.CommitAsync(); // the worker's session gets the lock and keeps it, since nobody ends its transaction
        }
        await using var other = Start();
        var export = await stage.SucceedAsync((await stage.CreateAsync(Request(recording))).Id);
        Assert.Equal(recording.Messages, export.Messages);
    }

    [Fact]
    public async Task An_export_waits_for_S3_says_so_and_goes_on_when_it_is_back()
    {
        var recording = await stage.RecordAsync("cut-off", 2);
        await using var relay = new TcpRelay(new Uri(stage.System.S3.Endpoint).Port);
        await using var worker = Start(("S3__Endpoint", $"http://127.0.0.1:{relay.Port}"));
        await worker.WaitForLineAsync("Application started", Deadline);
        relay.Cut(refuse: true);

        var created = await stage.CreateAsync(Request(recording));
        var waiting = await stage.WaitAsync(created.Id, e => e.Parts!.Any(p => p.Error.Length > 0), "says what it waits for");
        Assert.Contains("is not available", waiting.Parts!.First(p => p.Error.Length > 0).Error);
        Assert.Equal(ExportState.Running, waiting.State);
        relay.Restore();

        await AssertWholeAsync(await stage.SucceedAsync(created.Id));
    }

    [Fact]
    public async Task A_worker_that_is_asked_to_end_hands_its_part_over_at_once()
    {
        var recording = await stage.RecordAsync("handed-over", 2);
        var patient = ("Exports__CheckinSeconds", "10"); // nobody dies here, and none is to be taken for dead since the machine is busy
        await using var relay = new TcpRelay(new Uri(stage.System.S3.Endpoint).Port);
        await using var leaving = Start(patient, ("S3__Endpoint", $"http://127.0.0.1:{relay.Port}"));
        await leaving.WaitForLineAsync("Application started", Deadline);
        relay.Freeze();
        var created = await stage.CreateAsync(Request(recording));
        await stage.WaitAsync(created.Id, e => IsAt(e, leaving), "is at the first worker");

        Assert.Equal(0, await leaving.TerminateAsync(Deadline));
        await using var other = Start(patient);
        var export = await stage.SucceedAsync(created.Id);

        Assert.All(export.Parts!, p => Assert.Equal(1, p.Attempts));
    }

    [Fact]
    public async Task A_part_that_is_being_taken_up_when_its_worker_is_asked_to_end_is_handed_over_too()
    {
        var recording = await stage.RecordAsync("half-taken", 1);
        await using var leaving = Start();
        await leaving.WaitForLineAsync("Application started", Deadline);
        await using var database = NpgsqlDataSource.Create(stage.System.ControlPlane.ConnectionString);
        Task<int> ended;
        Guid export;
        await using (var connection = await database.OpenConnectionAsync())
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            // Whoever takes up a part looks for files of its last worker once the part's row is its own.
            await using (var files = new NpgsqlCommand("lock table export_files in access exclusive mode", connection))
                await files.ExecuteNonQueryAsync();
            export = (await stage.CreateAsync(Request(recording))).Id;
            await Eventually.Holds(
                async () => await CountAsync(database, "select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query ilike '%export_files%'") > 0,
                Deadline, "the worker has taken up the plan and looks for files");
            ended = leaving.TerminateAsync(Deadline);
            await leaving.WaitForLineAsync("Application is shutting down", Deadline);
            await transaction.CommitAsync();
        }
        Assert.Equal(0, await ended);
        await using var other = Start();
        await stage.SucceedAsync(export);

        Assert.Equal(1, await CountAsync(database, $"select max(attempts)::bigint from export_parts where export_id = '{export}'"));
    }

    private static ExportRequest Request(StoredRecording recording) => new() { Sessions = [recording.Session], PartBytes = 2 << 20 };

    private static bool IsAt(ExportView export, ProductProcess worker) =>
        export.Parts!.Any(p => p.State == ExportPartState.Running && p.Worker.EndsWith($"/{worker.Id}", StringComparison.Ordinal));

    private ProductProcess Start(params (string Name, string Value)[] settings)
    {
        var worker = stage.StartWorker(settings);
        _workers.Add(worker);
        return worker;
    }

    private static async Task<long> CountAsync(NpgsqlDataSource database, string sql)
    {
        await using var query = database.CreateCommand(sql);
        return (long)(await query.ExecuteScalarAsync())!;
    }

    // Every file is in the bucket as it is listed, and no other object is. A request of a worker that was killed may still arrive: the sweep's.
    private async Task AssertWholeAsync(ExportView export)
    {
        var files = await stage.FilesAsync(export.Id);
        Assert.Equal(export.Files, files.Count);
        Assert.Equal(files.Select(f => $"exports/{export.Id}/{f.Path}").Order(StringComparer.Ordinal), (await stage.ObjectsAsync(export.Id)).Order(StringComparer.Ordinal));
        using var http = new HttpClient();
        foreach (var file in files)
        {
            var bytes = await http.GetByteArrayAsync(file.Url);
            Assert.Equal((file.Bytes, file.Sha256), (bytes.Length, Convert.ToHexStringLower(SHA256.HashData(bytes))));
        }
    }
}
