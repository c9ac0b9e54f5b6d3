using System.Diagnostics.Metrics;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Exports;
using EdgeCloud.ControlPlane.Tests.Catalogue;
using EdgeCloud.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.ControlPlane.Tests.Exports;

/// <summary>Makes exports step by step in the test's own process, over the real database and bucket: a test can come in between any two steps.</summary>
internal sealed class ExportBench : IDisposable
{
    public static readonly Actor Alice = new("user:alice");

    private readonly TemporaryFolder _spill = new();
    private readonly CatalogueDatabase _catalogue;
    private readonly ServiceProvider _services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly PartRunner _runner;
    private readonly ExportSweep _sweep;

    private ExportBench(CatalogueDatabase catalogue, Bucket bucket, ExportPolicy policy)
    {
        var settings = WorkerSettings.Read(new ConfigurationBuilder().AddInMemoryCollection([new("Exports:SpillFolder", _spill.Path)]).Build());
        var clock = TimeProvider.System;
        var uploads = new UploadCompletion(bucket, clock);
        (_catalogue, Bucket, Policy) = (catalogue, bucket, policy);
        Queue = new ExportQueue(catalogue, bucket, new ExportEstimates(catalogue, policy, clock), clock);
        Claims = new PartClaims(catalogue, bucket);
        Ends = new PartEnds(catalogue, bucket, policy, settings, uploads, clock);
        _runner = new PartRunner(
            Claims, Ends, new PartWork(catalogue, bucket, Claims, uploads, clock), new SpillFolder(settings, NullLogger<SpillFolder>.Instance),
            new ExportMetrics(_services.GetRequiredService<IMeterFactory>()), clock, NullLogger<PartRunner>.Instance);
        _sweep = new ExportSweep(catalogue, bucket, settings, clock, NullLogger<ExportSweep>.Instance);
    }

    public static ExportPolicy AnyPolicy { get; } = ExportPolicy.Read(new ConfigurationBuilder().Build());

    public Bucket Bucket { get; }

    public ExportPolicy Policy { get; }

    public ExportQueue Queue { get; }

    public PartClaims Claims { get; }

    public PartEnds Ends { get; }

    public static async Task<ExportBench> NewAsync(CatalogueDatabase catalogue, S3Server s3, ExportPolicy? policy = null) => new(
        catalogue,
        new Bucket(new BucketSettings(new Uri(s3.Endpoint), null, s3.Region, await s3.CreateBucketAsync(), "", s3.Owner.AccessKey, s3.Owner.SecretKey)),
        policy ?? AnyPolicy);

    /// <summary>A recording of so many segments, each of which is a part of the exports that <see cref="AddAsync"/> asks for.</summary>
    public Task<StoredRecording> RecordAsync(int segments) =>
        StoredRecording.MakeAsync(_catalogue.ConnectionString, Bucket.Client, Bucket.Name, "exported", segments, framesPerSegment: 1);

    /// <summary>Asks for an export, begins it and plans it: the data's parts are numbered from 1, the assembly comes after them.</summary>
    public async Task<Guid> AddAsync(StoredRecording recording, bool allowIncomplete = false)
    {
        var request = new ExportRequest { Sessions = [recording.Session], PartBytes = 1 << 20, AllowIncomplete = allowIncomplete };
        var export = await Queue.AddAsync(request, Alice, default);
        await BeginAsync();
        await RunAsync(export.Id, 0);
        return export.Id;
    }

    /// <summary>Begins what waits.</summary>
    public async Task BeginAsync()
    {
        await using var db = _catalogue.CreateDbContext();
        await ExportDispatch.BeginAsync(db, Policy, default);
    }

    /// <summary>Makes parts, one after the other.</summary>
    public async Task RunAsync(Guid export, params int[] parts)
    {
        foreach (var part in parts)
            await _runner.RunAsync(export, part, default);
    }

    /// <summary>Takes a part up, begins a file of it, and goes no further.</summary>
    public async Task<PartClaim> BeginFileAsync(Guid export, int part)
    {
        var claim = await Claims.ClaimAsync(export, part);
        Assert.NotNull(claim);
        await new UploadSink(Bucket, claim, Claims, 0, TimeProvider.System).CreateAsync("begun.mcap", "application/octet-stream", default);
        return claim;
    }

    /// <summary>One round of the sweep.</summary>
    public async Task SweepAsync() => await _sweep.Execute(null!);

    public async Task<ExportJob> GetAsync(Guid export)
    {
        await using var db = _catalogue.CreateDbContext();
        return await db.Exports.AsNoTracking().SingleAsync(e => e.Id == export);
    }

    public async Task<IReadOnlyList<ExportFile>> FilesAsync(Guid export)
    {
        await using var db = _catalogue.CreateDbContext();
        return await db.ExportFiles.AsNoTracking().Where(f => f.ExportId == export).OrderBy(f => f.Part).ToListAsync();
    }

    /// <summary>Ids of the uploads of an export that the bucket has unfinished.</summary>
    public async Task<IReadOnlyList<string>> UploadsAsync(Guid export) =>
        [.. (await Bucket.ListUploadsAsync($"exports/{export}/", default)).Select(u => u.UploadId)];

    public void Dispose()
    {
        _services.Dispose();
        Bucket.Dispose();
        _spill.Dispose();
    }
}
