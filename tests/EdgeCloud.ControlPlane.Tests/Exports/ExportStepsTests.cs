using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Exports;
using EdgeCloud.ControlPlane.Tests.Catalogue;
using EdgeCloud.Testing;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Tests.Exports;

/// <summary>What comes in between the steps of an export: parts that fail, uploads that vanish, a retry while the sweep is at work.</summary>
public sealed class ExportStepsTests(CatalogueDatabase catalogue, S3Server s3) : IClassFixture<CatalogueDatabase>, IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);
    private ExportBench _bench = null!;

    public async ValueTask InitializeAsync() => _bench = await ExportBench.NewAsync(catalogue, s3, ExportBench.AnyPolicy with { RunningPerUser = 1000 });

    public ValueTask DisposeAsync()
    {
        _bench.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_part_that_fails_leaves_no_file_in_an_export_that_may_be_incomplete()
    {
        var recording = await _bench.RecordAsync(2);
        var export = await _bench.AddAsync(recording, allowIncomplete: true);
        await _bench.RunAsync(export, 1);
        var claim = await _bench.BeginFileAsync(export, 2);

        Assert.True(await _bench.Ends.StoreAsync(claim, new PartEnd.Failed("the disk is full"), default));
        await _bench.RunAsync(export, 3);

        var job = await _bench.GetAsync(export);
        Assert.Equal((ExportState.Succeeded, true), (job.State, job.IsIncomplete));
        var files = await _bench.FilesAsync(export);
        Assert.All(files, f => Assert.Equal(FileState.Complete, f.State));
        Assert.DoesNotContain(files, f => f.Part == 2);
        Assert.Equal((files.Count, files.Sum(f => f.Bytes)), (job.Files, job.Bytes));
        Assert.Empty(await _bench.UploadsAsync(export));
    }

    [Fact]
    public async Task An_upload_that_somebody_else_gave_up_is_made_again_by_a_retry()
    {
        var recording = await _bench.RecordAsync(2);
        var export = await _bench.AddAsync(recording);
        await _bench.RunAsync(export, 1, 2);
        foreach (var file in (await _bench.FilesAsync(export)).Where(f => f.Part == 1))
            await _bench.Bucket.AbortAsync(file.ObjectKey, file.UploadId);

        await _bench.RunAsync(export, 3);
        var failed = await _bench.GetAsync(export);
        Assert.Equal(ExportState.Failed, failed.State);
        Assert.Contains("no longer in the bucket; retry the export", failed.Error);

        await _bench.Queue.RetryAsync(export, ExportBench.Alice, default);
        await _bench.BeginAsync();
        Assert.Equal(1, (await _bench.GetAsync(export)).PartsDone);
        await _bench.RunAsync(export, 1, 2, 3);
        var repaired = await _bench.GetAsync(export);
        Assert.Equal((ExportState.Succeeded, "", recording.Messages, 2), (repaired.State, repaired.Error, repaired.Messages, repaired.PartsDone));
        foreach (var file in await _bench.FilesAsync(export))
            Assert.Equal(file.Bytes, (await _bench.Bucket.HeadAsync(file.ObjectKey, default))!.Bytes);
    }

    [Fact]
    public async Task What_a_retry_takes_up_is_not_swept()
    {
        var export = await FailAsync(await _bench.RecordAsync(2));
        var kept = (await _bench.FilesAsync(export)).Where(f => f.Part == 1).Select(f => f.UploadId).ToList();
        Assert.NotEmpty(kept);
        await ExecuteAsync($"update exports set expires_at = now() - interval '1 hour' where id = {export}");
        await using (var db = catalogue.CreateDbContext())
        {
            // A retry that is half way when the sweep comes.
            await using var transaction = await db.Database.BeginTransactionAsync();
            await db.Database.ExecuteSqlAsync($"update exports set state = 'queued', expires_at = null where id = {export}");
            await _bench.SweepAsync().WaitAsync(Deadline);
            await transaction.CommitAsync();
        }
        await _bench.SweepAsync();

        Assert.Equal(kept, (await _bench.FilesAsync(export)).Where(f => f.Part == 1).Select(f => f.UploadId));
        Assert.Superset(kept.ToHashSet(), (await _bench.UploadsAsync(export)).ToHashSet());
        Assert.Null((await _bench.GetAsync(export)).SweptAt);
    }

    [Fact]
    public async Task A_worker_from_before_the_sweep_can_end_no_part_of_the_export_that_is_made_anew()
    {
        var recording = await _bench.RecordAsync(2);
        var export = await _bench.AddAsync(recording);
        var old = await _bench.BeginFileAsync(export, 1);
        Assert.True(await _bench.Ends.StoreAsync((await _bench.Claims.ClaimAsync(export, 2))!, new PartEnd.Failed("for a test"), default));
        await ExecuteAsync($"update exports set expires_at = now() - interval '1 hour' where id = {export}");
        await _bench.SweepAsync();
        Assert.NotNull((await _bench.GetAsync(export)).SweptAt);
        await _bench.Queue.RetryAsync(export, ExportBench.Alice, default);
        await _bench.BeginAsync();
        await _bench.RunAsync(export, 0);
        Assert.NotNull(await _bench.Claims.ClaimAsync(export, 1));

        Assert.False(await _bench.Claims.RenewAsync(old, default));
        Assert.False(await _bench.Ends.StoreAsync(old, new PartEnd.Failed("too late"), default));
    }

    [Fact]
    public async Task A_failed_export_that_is_expired_stops_its_workers_before_it_is_swept()
    {
        var recording = await _bench.RecordAsync(2);
        var export = await _bench.AddAsync(recording);
        var other = await _bench.BeginFileAsync(export, 1);
        Assert.True(await _bench.Ends.StoreAsync((await _bench.Claims.ClaimAsync(export, 2))!, new PartEnd.Failed("for a test"), default));
        Assert.True(await _bench.Claims.RenewAsync(other, default));

        await _bench.Queue.ExpireAsync(export, ExportBench.Alice, default);

        Assert.False(await _bench.Claims.RenewAsync(other, default));
        await _bench.SweepAsync();
        // It may still be at its last request to S3.
        Assert.Null((await _bench.GetAsync(export)).SweptAt);
    }

    // An export whose first part is done and whose second one failed.
    private async Task<Guid> FailAsync(StoredRecording recording)
    {
        var export = await _bench.AddAsync(recording);
        await _bench.RunAsync(export, 1);
        Assert.True(await _bench.Ends.StoreAsync((await _bench.Claims.ClaimAsync(export, 2))!, new PartEnd.Failed("for a test"), default));
        return export;
    }

    private async Task ExecuteAsync(FormattableString sql)
    {
        await using var db = catalogue.CreateDbContext();
        Assert.NotEqual(0, await db.Database.ExecuteSqlAsync(sql));
    }
}
