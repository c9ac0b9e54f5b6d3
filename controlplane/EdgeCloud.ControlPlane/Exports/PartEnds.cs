using System.Globalization;
using System.Text.Json;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// Stores how parts end, and with the last of them how the export ends. The export's row is locked first, then the part's under its
/// fencing token, so that two ends, or an end and a cancellation, come one after the other.
/// </summary>
internal sealed class PartEnds(
    IDbContextFactory<CatalogueDb> catalogue, Bucket bucket, ExportPolicy policy, WorkerSettings settings, UploadCompletion uploads, TimeProvider clock)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    /// <summary>False when the part was lost to another worker or the export given up meanwhile: then nothing is stored.</summary>
    /// <exception cref="BucketUnavailableException">The manifest could not be made an object; nothing is stored.</exception>
    public async Task<bool> StoreAsync(PartClaim claim, PartEnd end, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var export = await db.Exports.FromSql($"select * from exports where id = {claim.Export.Id} for update").SingleAsync(cancellation);
        if (await PartClaims.LockAsync(db, claim, cancellation) is not { } part)
            return false;
        List<ExportFile> left = [];
        switch (end)
        {
            case PartEnd.Planned planned:
                Plan(db, export, part, planned);
                break;
            case PartEnd.Written written:
                await WriteAsync(db, export, part, written, cancellation);
                break;
            case PartEnd.Assembled assembled:
                await PublishAsync(db, export, part, assembled, cancellation);
                break;
            case PartEnd.Failed failed:
                await FailAsync(db, export, part, failed.Error, left, cancellation);
                break;
            case PartEnd.UploadsGone gone:
                await FailPartsOfAsync(db, export, gone.Files, cancellation);
                await FailAsync(db, export, part, GoneMessage(gone.Files[0].Path), left, cancellation);
                break;
            case PartEnd.Later later when part.Attempts >= settings.Attempts:
                await FailAsync(db, export, part, $"After {part.Attempts} attempts: {later.Error}", left, cancellation);
                break;
            case PartEnd.Later later:
                Wait(part, later.Error);
                break;
            default:
                part.State = ExportPartState.Queued;
                part.Attempts--;
                break;
        }
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        foreach (var file in left)
            await bucket.AbortAsync(file.ObjectKey, file.UploadId);
        return true;
    }

    private void Plan(CatalogueDb db, ExportJob export, ExportPartJob part, PartEnd.Planned planned)
    {
        var plan = planned.Plan;
        var parts = plan.Parts();
        export.PlanHash = plan.Hash();
        export.FileName = planned.FileName;
        export.PartsTotal = parts.Count;
        export.InputBytes = parts.Sum(p => p.InputBytes());
        export.Ledger = LedgerEntry.Sum(plan.Sessions.SelectMany(s => s.Ledger));
        export.MissingSegments = [.. plan.Sessions.SelectMany(s => s.Missing)];
        Succeed(part, JsonSerializer.Serialize(plan, ExportJson.Default.ExportPlan));
        var now = clock.GetUtcNow();
        // A plan that is made again numbers its parts as the one before: their fences begin above all that workers of that one may hold.
        var fence = part.Fence << 32;
        foreach (var data in parts)
        {
            db.ExportParts.Add(new ExportPartJob
            {
                ExportId = export.Id,
                Number = data.Index + 1,
                Kind = PartKind.Data,
                Name = NameOf(data),
                Fence = fence,
                DueAt = now,
                InputBytes = data.InputBytes(),
            });
        }
        db.ExportParts.Add(new ExportPartJob { ExportId = export.Id, Number = parts.Count + 1, Kind = PartKind.Assembly, Name = "assembly", Fence = fence, DueAt = now });
    }

    private async Task WriteAsync(CatalogueDb db, ExportJob export, ExportPartJob part, PartEnd.Written written, CancellationToken cancellation)
    {
        var result = written.Result;
        var sums = result.Files.ToDictionary(f => f.Name, f => f.Sha256);
        var rows = await db.ExportFiles.Where(f => f.ExportId == part.ExportId && f.Part == part.Number && f.Fence == part.Fence)
            .ToDictionaryAsync(f => f.UploadId, cancellation);
        foreach (var file in written.Files)
        {
            var row = rows[file.UploadId];
            row.State = FileState.Written;
            row.Etags = file.Etags;
            row.Bytes = file.Bytes;
            row.Sha256 = sums.GetValueOrDefault(file.Path, file.Sha256);
        }
        part.InputBytesDone = part.InputBytes;
        part.Messages = result.Messages();
        part.Bytes = result.Bytes();
        Succeed(part, JsonSerializer.Serialize(result, ExportJson.Default.PartResult));
        export.PartsDone++;
        export.Problems = [.. export.Problems, .. result.Problems.Select(p => $"{export.PartName(part.Number)}: {p}")];
    }

    /// <summary>The manifest becomes an object while the rows are locked: no cancellation and no other worker can come in between.</summary>
    private async Task PublishAsync(
        CatalogueDb db, ExportJob export, ExportPartJob part, PartEnd.Assembled assembled, CancellationToken cancellation)
    {
        if (!await uploads.CompleteAsync(assembled.ManifestFile, cancellation))
            throw new ExportException(GoneMessage(assembled.ManifestFile.Path));
        await db.ExportFiles.Where(f => f.ExportId == export.Id && f.UploadId == assembled.ManifestFile.UploadId).ExecuteUpdateAsync(
            set => set.SetProperty(f => f.State, FileState.Complete).SetProperty(f => f.Bytes, assembled.ManifestFile.Bytes)
                .SetProperty(f => f.Sha256, assembled.ManifestFile.Sha256), cancellation);
        Succeed(part, null);
        export.Messages = assembled.Manifest.Topics.Sum(t => t.Messages);
        export.Bytes = await db.ExportFiles.Where(f => f.ExportId == export.Id).SumAsync(f => f.Bytes, cancellation);
        export.Files = await db.ExportFiles.CountAsync(f => f.ExportId == export.Id, cancellation);
        export.InputBytesDone = export.InputBytes;
        export.IsIncomplete = !assembled.Manifest.Complete;
        var now = clock.GetUtcNow();
        export.End(ExportState.Succeeded, "", now, now + policy.Retention);
    }

    /// <summary>A part that failed has no files: its rows go here, and its uploads, in <paramref name="left"/>, once this is stored.</summary>
    private async Task FailAsync(
        CatalogueDb db, ExportJob export, ExportPartJob part, string error, List<ExportFile> left, CancellationToken cancellation)
    {
        var files = db.ExportFiles.Where(f => f.ExportId == export.Id && f.Part == part.Number && f.State != FileState.Complete);
        left.AddRange(await files.AsNoTracking().ToListAsync(cancellation));
        await files.ExecuteDeleteAsync(cancellation);
        var now = clock.GetUtcNow();
        part.State = ExportPartState.Failed;
        part.Error = error;
        part.FinishedAt = now;
        var named = part.Kind == PartKind.Data ? $"{export.PartName(part.Number)} ({part.Name}): {error}" : error;
        if (part.Kind == PartKind.Data && export.Request.AllowIncomplete)
        {
            export.PartsDone++;
            export.Problems = [.. export.Problems, named];
        }
        else
        {
            export.End(ExportState.Failed, named, now, now + policy.FailedRetention);
        }
    }

    /// <summary>What is gone from the bucket is made again when the export is tried again: those who wrote it have failed after all.</summary>
    private async Task FailPartsOfAsync(CatalogueDb db, ExportJob export, IReadOnlyList<UploadedFile> gone, CancellationToken cancellation)
    {
        var ids = gone.Select(f => f.UploadId).ToList();
        var files = await db.ExportFiles.AsNoTracking().Where(f => f.ExportId == export.Id && ids.Contains(f.UploadId)).ToListAsync(cancellation);
        var parts = await db.ExportParts.Where(p => p.ExportId == export.Id && p.Kind == PartKind.Data).ToListAsync(cancellation);
        foreach (var part in parts)
        {
            if (files.FirstOrDefault(f => f.Part == part.Number) is { } file)
                (part.State, part.Error) = (ExportPartState.Failed, GoneMessage(file.Path));
        }
    }

    private static string GoneMessage(string path) => $"The upload of {path} is no longer in the bucket; retry the export.";

    private void Wait(ExportPartJob part, string error)
    {
        var pause = TimeSpan.FromSeconds(Math.Min(LongestPause.TotalSeconds, Math.Pow(2, part.Attempts)));
        part.State = ExportPartState.Queued;
        part.Error = error;
        part.DueAt = clock.GetUtcNow() + pause;
    }

    private void Succeed(ExportPartJob part, string? result)
    {
        part.State = ExportPartState.Succeeded;
        part.Error = "";
        part.Result = result;
        part.FinishedAt = clock.GetUtcNow();
    }

    private static string NameOf(ExportPart part)
    {
        var segments = part.Sessions.SelectMany(s => s.Segments).ToList();
        if (segments.Count == 0)
            return "no segments";
        return string.Create(CultureInfo.InvariantCulture, $"{Time(segments.Min(s => s.StartNs))} to {Time(segments.Max(s => s.EndNs))}, {segments.Count} segments");
    }

    private static string Time(long ns) =>
        DateTimeOffset.UnixEpoch.AddTicks(ns / 100).ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture);
}
