using System.Globalization;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>The section <c>Custody</c> of the configuration.</summary>
/// <param name="AuditEvery">Of so many objects one is read whole when it is checked; 0 for none.</param>
public sealed record CustodySettings(int AuditEvery)
{
    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="ConfigurationException">A key is wrong; the message names it.</exception>
    public static CustodySettings Read(IConfiguration configuration) => new(configuration.Number("Custody:AuditEvery", 100, 0, int.MaxValue));
}

/// <summary>
/// Compares the object of a segment with its manifest: one HEAD (size, ETag, SHA-256), and of a sample, and where the server's ETag and
/// checksum prove nothing, the content itself. Only a comparison that went well makes a segment acknowledged.
/// </summary>
public sealed class ObjectCheck(IDbContextFactory<CatalogueDb> catalogue, Bucket bucket, CustodySettings settings, TimeProvider clock)
{
    /// <summary>Checks an uploaded segment and decides its custody. Null when it is not uploaded, or moved on meanwhile.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not say.</exception>
    public async Task<CheckedSegment?> CheckAsync(SegmentKey key, CancellationToken cancellation)
    {
        SegmentManifest manifest;
        await using (var db = await catalogue.CreateDbContextAsync(cancellation))
        {
            var known = await Announcements.FindAsync(db, key.Date, key.Session, key.Sequence, cancellation);
            if (known is not { Custody: Custody.Uploaded })
                return null;
            manifest = known.Manifest;
        }
        var difference = await CompareAsync(manifest, IsInSample(manifest.Sha256), cancellation);
        return await ConcludeAsync(key, manifest.Sha256, difference, cancellation) is { } answer ? new CheckedSegment(answer, difference, manifest) : null;
    }

    /// <summary>What about the object is not as its manifest says; empty when it is as it should be.</summary>
    /// <param name="manifest">What it should be.</param>
    /// <param name="readWhole">Read the content even where the server vouches for it.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="BucketUnavailableException">S3 did not say.</exception>
    public async Task<string> CompareAsync(SegmentManifest manifest, bool readWhole, CancellationToken cancellation)
    {
        var found = await bucket.HeadAsync(manifest.ObjectKey, cancellation);
        var difference = Difference(manifest, found);
        if (difference.Length > 0 || !readWhole && VouchesForContent(manifest, found!))
            return difference;
        var sha256 = await bucket.ReadHashAsync(manifest.ObjectKey, cancellation);
        return sha256 == manifest.Sha256 ? "" : sha256 is null ? Missing(manifest)
            : $"the object's content has SHA-256 {sha256}, the manifest says {manifest.Sha256}";
    }

    private static string Difference(SegmentManifest manifest, ObjectFacts? found) => found switch
    {
        null => Missing(manifest),
        _ when found.Bytes != manifest.Bytes => $"the object has {found.Bytes} bytes, the manifest says {manifest.Bytes}",
        _ when !found.Sha256.Equals(manifest.Sha256, StringComparison.OrdinalIgnoreCase) =>
            $"the object's SHA-256 metadata is '{found.Sha256}', the manifest says {manifest.Sha256}",
        _ when found.Checksum.Length > 0 && found.Checksum != manifest.Sha256 =>
            $"the server's SHA-256 of the object is {found.Checksum}, the manifest says {manifest.Sha256}",
        _ => "",
    };

    /// <summary>True when something that the server computed itself depends on every byte. Not every server makes ETags of MD5s: one that differs
    /// says nothing.</summary>
    private static bool VouchesForContent(SegmentManifest manifest, ObjectFacts found) =>
        found.Checksum.Length > 0 || found.ETag.Equals(manifest.ETag, StringComparison.OrdinalIgnoreCase);

    private static string Missing(SegmentManifest manifest) => $"the object {manifest.ObjectKey} is not in the bucket";

    // By content, so that every replica, and a second look, chooses the same objects.
    private bool IsInSample(string sha256) => settings.AuditEvery > 0
        && long.TryParse(sha256.AsSpan(0, Math.Min(12, sha256.Length)), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var number)
        && number % settings.AuditEvery == 0;

    private async Task<CustodyMessage?> ConcludeAsync(SegmentKey key, string sha256, string difference, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        await db.Database.ExecuteSqlAsync($"select 1 from sessions where id = {key.Session} for update", cancellation);
        var segment = await Announcements.FindAsync(db, key.Date, key.Session, key.Sequence, cancellation);
        var isConcluded = difference.Length == 0 ? segment?.Acknowledge(sha256, now) : segment?.Refuse(sha256, difference, now);
        if (segment is null || isConcluded != true)
            return null;
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return segment.Answer();
    }
}

/// <summary>A segment whose custody was decided.</summary>
/// <param name="Answer">What the robot is told.</param>
/// <param name="Difference">What about its object is not as announced; empty when it is.</param>
/// <param name="Manifest">What it was compared with.</param>
public sealed record CheckedSegment(CustodyMessage Answer, string Difference, SegmentManifest Manifest);
