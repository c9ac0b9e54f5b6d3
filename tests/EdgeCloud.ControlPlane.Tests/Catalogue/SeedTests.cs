using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Sessions;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Tests.Catalogue;

/// <summary>The rows that the seeding command makes are ones that the model reads and the search finds.</summary>
public sealed class SeedTests(CatalogueDatabase catalogue) : IClassFixture<CatalogueDatabase>
{
    [Fact]
    public async Task Every_row_can_be_read()
    {
        await using (var connection = await catalogue.DataSource.OpenConnectionAsync())
            await Seed.FillAsync(connection, robots: 12, sessions: 120, segments: 600, days: 40, _ => { });
        await using var db = catalogue.CreateDbContext();
        Assert.Equal(12, (await db.Robots.AsNoTracking().ToListAsync()).Count(r => r.State is not null && r.Telemetry is not null));
        Assert.Equal(120, (await db.Sessions.AsNoTracking().ToListAsync()).Count(s => s.Topics.Length > 0 && s.Search.Contains(s.Name)));
        var segments = await db.Segments.AsNoTracking().ToListAsync();
        Assert.Equal(600, segments.Count);
        Assert.All(segments, s => Assert.Equal(s.SessionId, s.Manifest.Session));
        Assert.Equal(120, (await db.Exports.AsNoTracking().ToListAsync()).Count(e => e.Request.Sessions.Count == 1));
        Assert.Equal(6, await new SessionSearch { Tags = ["keep"] }.CountAsync(db, 1000, default));
        Assert.Equal(2, await new SessionSearch { Text = "gripper" }.CountAsync(db, 1000, default));
    }
}
