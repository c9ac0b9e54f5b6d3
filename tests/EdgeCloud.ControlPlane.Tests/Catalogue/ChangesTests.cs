using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.ControlPlane.Tests.Catalogue;

public sealed class ChangesTests(CatalogueDatabase catalogue) : IClassFixture<CatalogueDatabase>
{
    [Fact]
    public async Task A_subscriber_gets_what_concerns_it_once_per_batch_and_all_again_after_a_lost_connection()
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        deadline.CancelAfter(TimeSpan.FromSeconds(60));
        using var changes = new Changes(catalogue.DataSource, TimeProvider.System, NullLogger<Changes>.Instance);
        await using var batches = changes.Subscribe(c => c.ConcernsRobot("amr-02"), deadline.Token, TimeSpan.FromMilliseconds(50)).GetAsyncEnumerator();
        var first = batches.MoveNextAsync();
        await changes.StartAsync(deadline.Token);
        Assert.True(await first);
        Assert.Equal(ChangeKind.Everything, Assert.Single(batches.Current).Kind);

        await ExecuteAsync("""
            insert into robots (id, online, first_seen_at, state_revision_epoch, state_revision_number, telemetry_revision_epoch, telemetry_revision_number)
            values ('amr-01', false, now(), 0, 0, 0, 0), ('amr-02', false, now(), 0, 0, 0, 0);
            update robots set online = true;
            """);
        Assert.True(await batches.MoveNextAsync());
        Assert.Equal([new Change(ChangeKind.Robot, "amr-02", "amr-02")], batches.Current);

        await ExecuteAsync("select pg_terminate_backend(pid) from pg_stat_activity where query like 'listen%' and datname = current_database()");
        Assert.True(await batches.MoveNextAsync());
        Assert.Equal(ChangeKind.Everything, Assert.Single(batches.Current).Kind);
        await changes.StopAsync(deadline.Token);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = catalogue.DataSource.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
