using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.ControlPlane.Tests.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Tests.Sessions;

/// <summary>Every condition of the search finds what it should and nothing else, page by page, also while tags and notes change.</summary>
public sealed class SearchTests(CatalogueDatabase catalogue) : IClassFixture<CatalogueDatabase>, IAsyncLifetime
{
    private static readonly DateTimeOffset Day = new(2026, 3, 1, 8, 0, 0, TimeSpan.Zero);
    private static readonly Actor Alice = new("user:alice");
    private static int _runs;

    private readonly string _robot = $"finder-{Interlocked.Increment(ref _runs)}";
    private readonly Guid[] _ids = [.. Enumerable.Range(0, 12).Select(i => Guid.CreateVersion7(Day.AddMinutes(i)))];

    public async ValueTask InitializeAsync()
    {
        await using var db = catalogue.CreateDbContext();
        await db.Database.ExecuteSqlAsync($"insert into robots (id, online, first_seen_at, state_revision_epoch, state_revision_number, telemetry_revision_epoch, telemetry_revision_number) values ({_robot}, true, now(), 0, 0, 0, 0)");
        for (var i = 0; i < _ids.Length; i++)
        {
            // Pairs start at the same moment: only the id orders them.
            var (start, end) = (Day.AddHours(i / 2), i == 0 ? (DateTimeOffset?)null : Day.AddHours(i / 2).AddMinutes(30));
            string[] topics = i % 3 == 0 ? ["/imu/data", "/scan"] : ["/camera/image_raw"], types = i % 3 == 0 ? ["sensor_msgs/msg/Imu"] : ["sensor_msgs/msg/Image"];
            await db.Database.ExecuteSqlAsync(
                $"""
                insert into sessions (id, robot, date, object_prefix, revision_epoch, revision_number, name, state, reason, issuer, started_at, ended_at, lost, created_at, updated_at, topics, types)
                values ({_ids[i]}, {_robot}, '2026-03-01', '', 0, 0, {"run-" + i}, {(i % 4 == 0 ? "failed" : "finished")}, '', '', {start}, {end}, {i % 5}, now(), now(), {topics}, {types})
                """);
            await db.Database.ExecuteSqlAsync($"insert into known_topics select * from unnest({topics}, {Enumerable.Repeat(types[0], topics.Length).ToArray()}) on conflict do nothing");
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task Conditions_narrow()
    {
        Assert.Equal(12, await CountAsync(new()));
        Assert.Equal(4, await CountAsync(new() { Topic = "/imu/data" }));
        Assert.Equal(8, await CountAsync(new() { Topic = "/camera/*" }));
        Assert.Equal(12, await CountAsync(new() { Topic = "*" }));
        Assert.Equal(0, await CountAsync(new() { Topic = "/camera" }));
        Assert.Equal(0, await CountAsync(new() { Topic = "/_mu/data" }));
        Assert.Equal(4, await CountAsync(new() { Type = "*/Imu" }));
        Assert.Equal(3, await CountAsync(new() { States = [SessionState.Failed] }));
        Assert.Equal(12, await CountAsync(new() { States = [SessionState.Failed, SessionState.Finished] }));
        Assert.Equal(9, await CountAsync(new() { Lossy = true }));
        Assert.Equal(4, await CountAsync(new() { To = Day.AddHours(2) }));
        // The one without an end goes on.
        Assert.Equal(3, await CountAsync(new() { From = Day.AddHours(5) }));
        Assert.Equal(1, await CountAsync(new() { Text = "RUN-11" }));
        Assert.Equal(1, await CountAsync(new() { Text = _ids[3].ToString()[^12..] }));
        Assert.Equal(0, await CountAsync(new() { Text = "run%" }));
    }

    [Theory]
    [InlineData(SessionOrder.Newest)]
    [InlineData(SessionOrder.Oldest)]
    [InlineData(SessionOrder.MostLost)]
    public async Task Pages_by_cursor_show_every_session_once_in_order(SessionOrder order)
    {
        var search = new SessionSearch { Robot = _robot, Order = order };
        await using var db = catalogue.CreateDbContext();
        var whole = await (await search.QueryAsync(db, default)).Select(s => s.Id).ToListAsync();
        var seen = new List<Guid>();
        string? cursor = null;
        while (true)
        {
            var query = await search.QueryAsync(db, default);
            var page = await (cursor is null ? query : search.After(query, cursor)).Take(5).ToListAsync();
            if (page.Count == 0)
                break;
            seen.AddRange(page.Select(s => s.Id));
            cursor = search.Cursor(page[^1]);
        }
        Assert.Equal(12, whole.Count);
        Assert.Equal(whole, seen);
    }

    [Fact]
    public async Task Tags_and_notes_are_found_as_soon_as_they_are_there_and_no_longer()
    {
        var (tagging, notes) = (new Tagging(catalogue, TimeProvider.System), new Notes(catalogue, TimeProvider.System));
        await tagging.TagSessionAsync(_ids[0], ["fall", "keep"], [], Alice, default);
        await tagging.TagSessionAsync(_ids[1], ["fall"], [], Alice, default);
        await tagging.TagSessionAsync(_ids[1], ["fall"], [], Alice, default);
        Assert.Equal(2, await CountAsync(new() { Tags = ["fall"] }));
        Assert.Equal(1, await CountAsync(new() { Tags = ["fall", "keep"] }));
        Assert.Equal(2, await CountAsync(new() { Text = "fall" }));
        await tagging.TagSessionAsync(_ids[1], [], ["fall"], Alice, default);
        Assert.Equal(1, await CountAsync(new() { Text = "fall" }));

        var note = await notes.AddAsync(_ids[5], "The robot drove into the aquarium.", Alice, default);
        Assert.Equal(1, await CountAsync(new() { Text = "aquarium drove" }));
        await notes.EditAsync(_ids[5], note.Id, "It was a pond.", null, new Actor("key:alice/ci"), default);
        Assert.Equal(0, await CountAsync(new() { Text = "aquarium" }));
        Assert.Equal(1, await CountAsync(new() { Text = "pond" }));
        await Assert.ThrowsAsync<RequestException>(() => notes.DeleteAsync(_ids[5], note.Id, null, new Actor("user:bob"), default));
        await notes.DeleteAsync(_ids[5], note.Id, null, new Actor("user:bob", IsAdministrator: true), default);
        Assert.Equal(0, await CountAsync(new() { Text = "pond" }));
    }

    [Fact]
    public async Task An_event_shows_in_every_session_of_its_moment_unless_it_belongs_to_one()
    {
        var events = new Events(catalogue, TimeProvider.System);
        var ns = (Day.AddHours(1).AddMinutes(5) - DateTimeOffset.UnixEpoch).Ticks * 100;
        await events.AddAsync(new EventRequest { Robot = _robot, TimeNs = ns, Kind = "bump" }, Alice, default);
        await events.AddAsync(new EventRequest { Session = _ids[2], TimeNs = ns, Kind = "fall" }, Alice, default);
        Assert.Equal("bump fall", await KindsAsync(_ids[2]));
        Assert.Equal("bump", await KindsAsync(_ids[3]));
        Assert.Equal("", await KindsAsync(_ids[4]));
    }

    [Fact]
    public async Task A_deleted_session_is_out_of_sight_until_it_is_restored()
    {
        var deletion = new SessionDeletion(catalogue, new Microsoft.Extensions.Configuration.ConfigurationBuilder().Build(), TimeProvider.System);
        await deletion.DeleteAsync(_ids[7], Alice, default);
        Assert.Equal(11, await CountAsync(new()));
        Assert.Equal(1, await CountAsync(new() { Deleted = true }));
        await deletion.RestoreAsync(_ids[7], Alice, default);
        Assert.Equal(12, await CountAsync(new()));
        Assert.Equal(0, await CountAsync(new() { Deleted = true }));
    }

    private async Task<int> CountAsync(SessionSearch search)
    {
        await using var db = catalogue.CreateDbContext();
        return await (search with { Robot = _robot }).CountAsync(db, 1000, default);
    }

    private async Task<string> KindsAsync(Guid id)
    {
        await using var db = catalogue.CreateDbContext();
        var session = await db.Sessions.SingleAsync(s => s.Id == id);
        return string.Join(' ', (await Events.Of(db, session).Select(e => e.Kind).ToListAsync()).Order());
    }
}
