using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// Claims and renews parts of exports in the catalogue, each statement under the part's fencing token. All times are the database's:
/// workers' clocks may differ. How a part ends is <see cref="PartEnds"/>'.
/// </summary>
internal sealed class PartClaims(IDbContextFactory<CatalogueDb> catalogue, Bucket bucket)
{
    /// <summary>This process, as the rows name it.</summary>
    public static readonly string Worker = $"{Environment.MachineName}/{Environment.ProcessId}";

    /// <summary>
    /// Takes up a part under a new fencing token and gives up what its last worker left half written. Null when there is nothing to do:
    /// it is done, or its export is not running. Cannot be cancelled: what was taken up half would count as an attempt that nobody made.
    /// </summary>
    public async Task<PartClaim?> ClaimAsync(Guid export, int number)
    {
        await using var db = await catalogue.CreateDbContextAsync();
        var claimed = await db.ExportParts.FromSql(
            $"""
            update export_parts p set
                state = 'running', fence = p.fence + 1, attempts = p.attempts + 1, worker = {Worker}, heartbeat_at = now(), started_at = now(),
                finished_at = null, input_bytes_done = 0, messages = 0, bytes = 0
            from exports e
            where p.export_id = {export} and p.number = {number} and e.id = p.export_id and e.state = 'running'
              and p.state in ('queued', 'running')
            returning p.*
            """).AsNoTracking().ToListAsync();
        if (claimed is not [var part])
            return null;
        var job = await db.Exports.AsNoTracking().SingleAsync(e => e.Id == export);
        await GiveUpFilesAsync(db, part);
        return new PartClaim(job, part);
    }

    /// <summary>Says that the part is worked at and how far it is. False when it is to be stopped: cancelled, or lost to another.</summary>
    public async Task<bool> RenewAsync(PartClaim claim, CancellationToken cancellation)
    {
        var progress = claim.Progress;
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        // Two statements and no transaction: whoever holds the export's row may wait for the part's.
        var renewed = await db.Database.ExecuteSqlAsync(
            $"""
            update export_parts set heartbeat_at = now(), input_bytes_done = least({progress.InputBytesDone}, input_bytes),
                                    messages = {progress.Messages}, bytes = {progress.Bytes}
            where export_id = {claim.Export.Id} and number = {claim.Part.Number} and fence = {claim.Fence} and state = 'running'
            """,
            cancellation);
        if (renewed == 0)
            return false;
        await db.Database.ExecuteSqlAsync(
            $"""
            update exports e set input_bytes_done = s.input_bytes_done, messages = s.messages, bytes = s.bytes
            from (select sum(input_bytes_done)::bigint as input_bytes_done, sum(messages)::bigint as messages, sum(bytes)::bigint as bytes
                  from export_parts where export_id = {claim.Export.Id} and kind = 'data') s
            where e.id = {claim.Export.Id} and e.state = 'running' and s.bytes is not null
            """,
            cancellation);
        return true;
    }

    /// <summary>Puts a file that is begun on record.</summary>
    /// <exception cref="PartLostException">Another worker has the part.</exception>
    public async Task BeginFileAsync(PartClaim claim, string path, string key, string uploadId, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var begun = await db.Database.ExecuteSqlAsync(
            $"""
            insert into export_files (export_id, upload_id, part, fence, path, object_key, state, etags, bytes, sha256)
            select p.export_id, {uploadId}, p.number, p.fence, {path}, {key}, 'open', '[]', 0, ''
            from export_parts p
            where p.export_id = {claim.Export.Id} and p.number = {claim.Part.Number} and p.fence = {claim.Fence} and p.state = 'running'
            """,
            cancellation);
        if (begun == 0)
            throw new PartLostException();
    }

    /// <summary>The row, locked until the end of the transaction; null when the part was lost to another.</summary>
    public static Task<ExportPartJob?> LockAsync(CatalogueDb db, PartClaim claim, CancellationToken cancellation) =>
        db.ExportParts.FromSql(
            $"""
            select * from export_parts
            where export_id = {claim.Export.Id} and number = {claim.Part.Number} and fence = {claim.Fence} and state = 'running'
            for update
            """).SingleOrDefaultAsync(cancellation);

    // A file of the same path may be written again at once: it is another upload.
    private async Task GiveUpFilesAsync(CatalogueDb db, ExportPartJob part)
    {
        var left = await db.ExportFiles.AsNoTracking()
            .Where(f => f.ExportId == part.ExportId && f.Part == part.Number && f.Fence < part.Fence && f.State != FileState.Complete)
            .ToListAsync();
        foreach (var file in left)
            await bucket.AbortAsync(file.ObjectKey, file.UploadId);
        await db.ExportFiles
            .Where(f => f.ExportId == part.ExportId && f.Part == part.Number && f.Fence < part.Fence)
            .ExecuteDeleteAsync();
    }
}
