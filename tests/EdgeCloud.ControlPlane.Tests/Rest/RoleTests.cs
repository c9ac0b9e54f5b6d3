using System.Net;
using EdgeCloud.ControlPlane.Tests.Access;
using EdgeCloud.Testing;
using Npgsql;

namespace EdgeCloud.ControlPlane.Tests.Rest;

/// <summary>What each role may do, and when a key stops working.</summary>
[Collection(nameof(ControlPlaneCollection))]
public sealed class RoleTests(ControlPlaneProcess plane) : IAsyncLifetime
{
    private const string Password = "another password of the tests";
    private static int _users;

    private readonly string _user = $"user-{Interlocked.Increment(ref _users)}";
    private NpgsqlDataSource _data = null!;

    public async ValueTask InitializeAsync()
    {
        _data = NpgsqlDataSource.Create(plane.ConnectionString);
        await using var create = ProductProcess.StartControlPlane(
            ["create-admin", "--user", _user],
            new Dictionary<string, string> { ["ConnectionStrings__Catalogue"] = plane.ConnectionString },
            input: Password + "\n");
        Assert.Equal(0, await create.WaitForExitAsync(TimeSpan.FromSeconds(60)));
    }

    public ValueTask DisposeAsync() => _data.DisposeAsync();

    [Theory]
    [InlineData("viewer", false, false)]
    [InlineData("data-scientist", false, true)]
    [InlineData("operator", true, true)]
    [InlineData("administrator", true, true)]
    public async Task A_role_may_what_it_is_for_and_nothing_else(string role, bool mayCommand, bool mayExport)
    {
        await ExecuteAsync($"update user_roles set role_id = (select id from roles where name = '{role}') where user_id = (select id from users where user_name = '{_user}')");
        using var api = await ApiClient.LoginAsync(plane, _user, Password);

        Assert.Equal(HttpStatusCode.OK, (await api.ReadAsync("/api/v1/sessions")).StatusCode);
        // Allowed requests fail for a reason of their own: there is no such robot, and an export needs sessions.
        Assert.Equal(mayCommand ? HttpStatusCode.NotFound : HttpStatusCode.Forbidden,
            (await api.SendAsync("/api/v1/robots/nobody/commands", new { command = "sync" })).StatusCode);
        Assert.Equal(mayExport ? HttpStatusCode.BadRequest : HttpStatusCode.Forbidden,
            (await api.SendAsync("/api/v1/exports", new { sessions = Array.Empty<Guid>() })).StatusCode);
    }

    /// <summary>The scope is part of what makes an administrator, also for exports that are somebody else's.</summary>
    [Theory]
    [InlineData("cancel", "running")]
    [InlineData("retry", "failed")]
    [InlineData("expire", "failed")]
    public async Task A_key_for_exports_alone_changes_no_exports_of_others_though_it_is_an_administrators(string deed, string state)
    {
        var id = Guid.CreateVersion7();
        await ExecuteAsync(
            $$"""
            insert into exports (id, request, owner, state, created_at, input_bytes, input_bytes_done, messages, bytes, error, ledger,
                                 missing_segments, file_name, plan_hash, is_incomplete, problems, files, parts_done, parts_total)
            values ('{{id}}', '{"sessions": [], "format": "mcap"}', 'user:somebody-else', '{{state}}', now(), 0, 0, 0, 0, '', '[]', '[]', '', '', false, '[]', 0, 0, 0)
            """);
        using var limited = await PlaneUsers.LogInAsync(plane, _user, Password, ["read", "export"]);
        using var whole = await PlaneUsers.LogInAsync(plane, _user, Password);

        using var refused = await limited.PostAsync($"/api/v1/exports/{id}/{deed}", null);
        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        Assert.Contains("somebody-else", await refused.Content.ReadAsStringAsync());
        using var done = await whole.PostAsync($"/api/v1/exports/{id}/{deed}", null);
        Assert.Equal(HttpStatusCode.OK, done.StatusCode);
    }

    [Theory]
    [InlineData("update api_keys set expires_at = now() - interval '1 second'")]
    [InlineData("update api_keys set revoked_at = now()")]
    [InlineData("delete from api_keys")]
    [InlineData("update users set lockout_end = now() + interval '1 hour'", "id")]
    public async Task A_key_stops_working(string change, string user = "user_id")
    {
        using var api = await ApiClient.LoginAsync(plane, _user, Password);
        Assert.Equal(HttpStatusCode.OK, (await api.ReadAsync("/api/v1/robots")).StatusCode);
        await ExecuteAsync($"{change} where {user} = (select id from users where user_name = '{_user}')");
        Assert.Equal(HttpStatusCode.Unauthorized, (await api.ReadAsync("/api/v1/robots")).StatusCode);
    }

    [Fact]
    public async Task Wrong_passwords_lock_the_user_out_and_every_attempt_is_on_record()
    {
        using var http = new HttpClient { BaseAddress = new Uri(plane.Address) };
        for (var i = 0; i < 10; i++)
            await http.PostAsync("/api/v1/login", System.Net.Http.Json.JsonContent.Create(new { user = _user, password = "wrong" }));
        var answer = await http.PostAsync("/api/v1/login", System.Net.Http.Json.JsonContent.Create(new { user = _user, password = Password }));

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        await using var count = _data.CreateCommand($"select count(*) from audit_entries where actor = 'user:{_user}' and action = 'login.failed'");
        Assert.Equal(11L, await count.ExecuteScalarAsync());
    }

    [Fact]
    public async Task The_catalogue_holds_no_key_and_no_password_that_could_be_used()
    {
        using var api = await ApiClient.LoginAsync(plane, _user, Password);
        await using var find = _data.CreateCommand(
            $"select count(*) from users u join api_keys k on k.user_id = u.id where u.user_name = '{_user}' and (u.password_hash like '%{Password}%' or length(k.hash) <> 32 or length(k.prefix) > 10)");
        Assert.Equal(0L, await find.ExecuteScalarAsync());
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _data.CreateCommand(sql);
        Assert.NotEqual(0, await command.ExecuteNonQueryAsync());
    }
}
