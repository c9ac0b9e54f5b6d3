using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Exports;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>
/// Opens a part of a session in Foxglove or Lichtblick: one merged MCAP file, made by an export, and links that read it by range. The same
/// part of the same segments is made once; it is kept for a day after it was last asked for.
/// </summary>
internal sealed class Viewers(
    IDbContextFactory<CatalogueDb> catalogue, ExportQueue queue, Bucket bucket, PreviewSettings settings, TimeProvider clock)
{
    private static readonly TimeSpan LinkLifetime = TimeSpan.FromHours(12);
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    /// <summary>The file, being made or ready. Whoever calls has checked <see cref="Policies.Export"/>.</summary>
    /// <exception cref="RequestException">There is no such session, or nothing of the range is in storage.</exception>
    public async Task<ViewerView> OpenAsync(Guid session, ViewerRequest request, Actor actor, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var seen = await PreviewSession.OfAsync(db, session, request.FromNs, request.ToNs, cancellation);
        if (!seen.Segments.Any(s => s.IsHere))
            throw RequestException.Conflict("Nothing of this range is in storage yet.");
        var hash = HashOf(seen, request);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        // Two who ask at the same time get the same file.
        await db.Database.ExecuteSqlAsync($"select pg_advisory_xact_lock(hashtextextended({hash}, 0))", cancellation);
        var file = await db.Set<ViewerFile>().SingleOrDefaultAsync(v => v.Hash == hash, cancellation);
        var export = file is null ? null : await db.Exports.SingleOrDefaultAsync(e => e.Id == file.ExportId, cancellation);
        if (export is null || !IsUsable(export))
        {
            export = await queue.AddAsync(
                new ExportRequest { Sessions = [session], Selection = request.Selection, FromNs = request.FromNs, ToNs = request.ToNs, AllowIncomplete = true },
                actor, cancellation);
            if (file is null)
                db.Add(new ViewerFile { Hash = hash, ExportId = export.Id });
            else
                file.ExportId = export.Id;
        }
        else if (export.State == ExportState.Succeeded)
        {
            export.ExpiresAt = clock.GetUtcNow() + Kept;
        }
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return await ViewAsync(db, export, cancellation);
    }

    /// <summary>How far the file of an export is, with links once it is ready.</summary>
    public async Task<ViewerView?> FindAsync(Guid export, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        return await db.Exports.AsNoTracking().SingleOrDefaultAsync(e => e.Id == export, cancellation) is { } found
            ? await ViewAsync(db, found, cancellation)
            : null;
    }

    private bool IsUsable(ExportJob export) =>
        export.State is ExportState.Queued or ExportState.Running
        || (export.State == ExportState.Succeeded && (export.ExpiresAt is null || export.ExpiresAt > clock.GetUtcNow()));

    private async Task<ViewerView> ViewAsync(CatalogueDb db, ExportJob export, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var file = await ExportResult.SingleFileAsync(db, export, cancellation);
        var url = file is null ? null : bucket.Presign(file.ObjectKey, ExportResult.FileName(export, file), LinkLifetime, now);
        return new ViewerView
        {
            Export = export.Id,
            State = export.State,
            Percent = Math.Round(export.Percent, 1),
            Error = export.Error,
            Url = url,
            Foxglove = Link(settings.FoxgloveUrl, url),
            Lichtblick = Link(settings.LichtblickUrl, url),
            ExpiresAt = url is null ? null : now + LinkLifetime,
        };
    }

    private static string? Link(string viewer, string? url) =>
        url is null ? null : viewer.Replace(PreviewSettings.Url, Uri.EscapeDataString(url), StringComparison.Ordinal);

    private static string HashOf(PreviewSession session, ViewerRequest request)
    {
        var selection = request.Selection ?? TopicSelection.All;
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"{session.Id:D}\n{session.FromNs}\n{session.ToNs}\n");
        text.AppendJoin('\n', selection.Include.Order(StringComparer.Ordinal)).Append("\n-\n");
        text.AppendJoin('\n', selection.Exclude.Order(StringComparer.Ordinal)).Append("\n-\n");
        text.AppendJoin('\n', session.Segments.Where(s => s.IsHere).Select(s => s.Manifest.Sha256));
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));
    }
}
