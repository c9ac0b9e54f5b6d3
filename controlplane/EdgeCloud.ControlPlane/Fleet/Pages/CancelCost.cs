using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Fleet.Pages;

/// <summary>What cancelling a session gives up, as far as the robot announced it.</summary>
/// <param name="Bytes">Bytes of which the only copy is on the robot.</param>
/// <param name="Segments">Segments that hold them.</param>
/// <param name="StoredBytes">Bytes that are in storage.</param>
public sealed record CancelCost(long Bytes, int Segments, long StoredBytes)
{
    /// <summary>Counts.</summary>
    public static async Task<CancelCost> OfAsync(IDbContextFactory<CatalogueDb> catalogue, Guid id, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var parts = await db.Sessions.Where(s => s.Id == id)
            .Join(db.Segments, s => new { s.Date, s.Id }, g => new { Date = g.SessionDate, Id = g.SessionId }, (_, g) => g)
            .GroupBy(g => g.Custody)
            .Select(g => new { Custody = g.Key, Bytes = g.Sum(x => x.Bytes), Segments = g.Count() })
            .ToListAsync(cancellation);
        var onRobot = parts.Where(p => p.Custody is Custody.Open or Custody.Sealed or Custody.Uploading).ToList();
        return new CancelCost(
            onRobot.Sum(p => p.Bytes),
            onRobot.Sum(p => p.Segments),
            parts.Where(p => p.Custody is Custody.Uploaded or Custody.Acknowledged or Custody.Released).Sum(p => p.Bytes));
    }
}
