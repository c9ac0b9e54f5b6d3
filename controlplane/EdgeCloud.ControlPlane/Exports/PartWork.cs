using System.Collections.Concurrent;
using System.Text.Json;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;
using EdgeCloud.Mcap.Reading;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Makes what a part is: the plan, files of data, or the assembly. Knows nothing of claims but that files are begun under one.</summary>
internal sealed class PartWork(
    IDbContextFactory<CatalogueDb> catalogue, Bucket bucket, PartClaims claims, UploadCompletion uploads, TimeProvider clock)
{
    private const string ManifestName = "manifest.json";
    private const int CompletionsAtOnce = 8;

    /// <exception cref="ExportException">It cannot be made.</exception>
    /// <exception cref="BucketUnavailableException">S3 did not answer in spite of several attempts.</exception>
    /// <exception cref="PartLostException">Another worker has the part.</exception>
    public Task<PartEnd> MakeAsync(PartClaim claim, string scratch, CancellationToken cancellation) => claim.Part.Kind switch
    {
        PartKind.Plan => PlanAsync(claim, cancellation),
        PartKind.Data => WriteAsync(claim, scratch, cancellation),
        _ => AssembleAsync(claim, scratch, cancellation),
    };

    private async Task<PartEnd> PlanAsync(PartClaim claim, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var plan = await ExportPlanner.PlanAsync(db, claim.Export, cancellation);
        return new PartEnd.Planned(plan, await ExportPlanner.FileNameAsync(db, plan, cancellation));
    }

    private async Task<PartEnd> WriteAsync(PartClaim claim, string scratch, CancellationToken cancellation)
    {
        var plan = await LoadPlanAsync(claim.Export.Id, cancellation);
        var part = plan.Parts()[claim.Part.Number - 1];
        var sink = new UploadSink(bucket, claim, claims, part.InputBytes(), clock);
        var result = await NewExporter(plan, scratch).MakePartAsync(part, sink, claim, cancellation);
        return new PartEnd.Written(result, sink.Files);
    }

    private async Task<PartEnd> AssembleAsync(PartClaim claim, string scratch, CancellationToken cancellation)
    {
        var plan = await LoadPlanAsync(claim.Export.Id, cancellation);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var results = await db.ExportParts.AsNoTracking()
            .Where(p => p.ExportId == claim.Export.Id && p.Kind == PartKind.Data && p.State == ExportPartState.Succeeded)
            .OrderBy(p => p.Number).Select(p => p.Result!).ToListAsync(cancellation);
        var problems = await db.ExportParts.AsNoTracking()
            .Where(p => p.ExportId == claim.Export.Id && p.Kind == PartKind.Data && p.State == ExportPartState.Failed)
            .OrderBy(p => p.Number).Select(p => new { p.Number, p.Name, p.Error }).ToListAsync(cancellation);
        List<PartResult> parts = [.. results.Select(json => JsonSerializer.Deserialize(json, ExportJson.Default.PartResult)!)];
        // A part that failed although the rest is wanted: all that is known of it is why.
        parts.AddRange(problems.Select(p => new PartResult { Part = p.Number - 1, Problems = [$"Part {p.Number} ({p.Name}) is missing: {p.Error}"] }));
        var sink = new UploadSink(bucket, claim, claims, 0, clock);
        var manifest = await NewExporter(plan, scratch).AssembleAsync(parts, clock.GetUtcNow(), sink, cancellation);
        var written = await db.ExportFiles.AsNoTracking()
            .Where(f => f.ExportId == claim.Export.Id && f.State == FileState.Written).ToListAsync(cancellation);
        var files = written.Select(f => new UploadedFile(f.Path, f.ObjectKey, f.UploadId, f.Etags, f.Bytes, f.Sha256))
            .Concat(sink.Files.Where(f => f.Path != ManifestName)).ToList();
        var gone = new ConcurrentQueue<UploadedFile>();
        await Parallel.ForEachAsync(files, new ParallelOptions { MaxDegreeOfParallelism = CompletionsAtOnce, CancellationToken = cancellation },
            async (file, token) =>
            {
                if (!await uploads.CompleteAsync(file, token))
                    gone.Enqueue(file);
            });
        await StoreCompleteAsync(db, claim.Export.Id, [.. files.Except(gone)], sink.Files, cancellation);
        if (!gone.IsEmpty)
            return new PartEnd.UploadsGone([.. gone]);
        return new PartEnd.Assembled(manifest, sink.Files.Single(f => f.Path == ManifestName));
    }

    private static async Task StoreCompleteAsync(
        CatalogueDb db, Guid export, IReadOnlyList<UploadedFile> complete, IReadOnlyList<UploadedFile> own, CancellationToken cancellation)
    {
        foreach (var file in own)
        {
            await db.ExportFiles.Where(f => f.ExportId == export && f.UploadId == file.UploadId).ExecuteUpdateAsync(
                set => set.SetProperty(f => f.Bytes, file.Bytes).SetProperty(f => f.Sha256, file.Sha256).SetProperty(f => f.Etags, file.Etags),
                cancellation);
        }
        foreach (var chunk in complete.Select(f => f.UploadId).Chunk(1000))
        {
            await db.ExportFiles.Where(f => f.ExportId == export && chunk.Contains(f.UploadId))
                .ExecuteUpdateAsync(set => set.SetProperty(f => f.State, FileState.Complete), cancellation);
        }
    }

    private async Task<ExportPlan> LoadPlanAsync(Guid export, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var json = await db.ExportParts.Where(p => p.ExportId == export && p.Number == 0).Select(p => p.Result).SingleAsync(cancellation);
        return JsonSerializer.Deserialize(json!, ExportJson.Default.ExportPlan)!;
    }

    private Exporter NewExporter(ExportPlan plan, string scratch) =>
        new(plan, (segment, _) => ValueTask.FromResult<IByteSource>(new S3ByteSource(bucket, segment, clock)), scratch);
}
