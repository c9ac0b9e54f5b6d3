using System.Diagnostics;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Fleet;
using EdgeCloud.ControlPlane.Fleet.Pages;
using EdgeCloud.ControlPlane.Tests.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Tests.Fleet;

/// <summary>Lists of robots leave out what nobody sees in them, and nothing else.</summary>
public sealed class BriefTests(CatalogueDatabase catalogue) : IClassFixture<CatalogueDatabase>
{
    private const int Robots = 1000;
    private const int TopicsEach = 250;

    [Fact]
    public async Task A_thousand_robots_are_listed_without_what_they_tell_of_each_topic()
    {
        await using (var connection = await catalogue.DataSource.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await Seed.FillAsync(connection, Robots, sessions: 10, segments: 10, days: 2, _ => { });
            await using var command = connection.CreateCommand();
            command.CommandText =
                $$"""
                update robots set
                    state = jsonb_set(state, '{topics}', (select jsonb_agg(jsonb_build_object('topic', '/sensor_' || i || '/data', 'type', 'sensor_msgs/msg/Imu')) from generate_series(1, {{TopicsEach}}) i)),
                    telemetry = jsonb_set(telemetry, '{topics}', (select jsonb_agg(jsonb_build_object(
                        'topic', '/sensor_' || i || '/data', 'type', 'sensor_msgs/msg/Imu', 'hz', 100.5, 'bytes_per_second', 32000.5, 'lost', 0)) from generate_series(1, {{TopicsEach}}) i))
                """;
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        var whole = await TimedAsync("whole", db => db.Robots.AsNoTracking());
        var brief = await TimedAsync("brief", Robot.Brief);

        Assert.Equal(Robots, brief.Count);
        Assert.All(whole, r => Assert.Equal((TopicsEach, TopicsEach), (r.State!.Topics.Count, r.Telemetry!.Topics.Count)));
        Assert.All(brief, r => Assert.Equal((0, 0), (r.State!.Topics.Count, r.Telemetry!.Topics.Count)));
        Assert.Equivalent(whole.Select(r => FleetRow.Of(r, 0)).OrderBy(r => r.Robot), brief.Select(r => FleetRow.Of(r, 0)).OrderBy(r => r.Robot), strict: true);
    }

    // The second time: the first one builds the query.
    private async Task<List<Robot>> TimedAsync(string what, Func<CatalogueDb, IQueryable<Robot>> query)
    {
        for (var turn = 0; ; turn++)
        {
            await using var db = catalogue.CreateDbContext();
            var watch = Stopwatch.StartNew();
            var found = await query(db).ToListAsync(TestContext.Current.CancellationToken);
            TestContext.Current.TestOutputHelper?.WriteLine($"{what}: {watch.Elapsed.TotalMilliseconds:0} ms");
            if (turn == 2)
                return found;
        }
    }
}
