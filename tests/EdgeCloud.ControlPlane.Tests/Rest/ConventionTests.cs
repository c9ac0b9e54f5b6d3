using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Tests.Access;
using EdgeCloud.Testing;
using Npgsql;

namespace EdgeCloud.ControlPlane.Tests.Rest;

/// <summary>What every operation of the API keeps to: entity tags, versions, repeated requests, texts that stay texts.</summary>
[Collection(nameof(ControlPlaneCollection))]
public sealed class ConventionTests(ControlPlaneProcess plane) : IAsyncLifetime
{
    private static int _runs;
    private readonly string _robot = $"convention-{Interlocked.Increment(ref _runs)}";
    private readonly Guid _session = Guid.CreateVersion7();
    private HttpClient _http = null!;

    public async ValueTask InitializeAsync()
    {
        _http = await PlaneUsers.AdminAsync(plane);
        await using var data = NpgsqlDataSource.Create(plane.ConnectionString);
        await using var command = data.CreateCommand(
            $"""
            insert into robots (id, online, first_seen_at, state_revision_epoch, state_revision_number, telemetry_revision_epoch, telemetry_revision_number) values ('{_robot}', false, now(), 0, 0, 0, 0);
            insert into sessions (id, robot, date, object_prefix, revision_epoch, revision_number, name, state, reason, issuer, started_at, ended_at, lost, created_at, updated_at)
            values ('{_session}', '{_robot}', '2026-03-01', '', 0, 0, 'x', 'finished', '', '', now(), now(), 0, now(), now())
            """);
        await command.ExecuteNonQueryAsync();
    }

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task What_the_reader_has_already_is_not_sent_again()
    {
        using var first = await _http.GetAsync($"/api/v1/sessions/{_session}");
        var tag = first.Headers.ETag!;
        using var again = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/sessions/{_session}");
        again.Headers.IfNoneMatch.Add(tag);
        using var unchanged = await _http.SendAsync(again);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
        Assert.Empty(await unchanged.Content.ReadAsByteArrayAsync());
        (await _http.PutAsync($"/api/v1/sessions/{_session}/tags/seen", null)).EnsureSuccessStatusCode();
        using var other = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/sessions/{_session}");
        other.Headers.IfNoneMatch.Add(tag);
        using var changed = await _http.SendAsync(other);
        Assert.Equal(HttpStatusCode.OK, changed.StatusCode);
        Assert.NotEqual(tag, changed.Headers.ETag);
    }

    [Fact]
    public async Task A_change_of_an_older_version_is_refused()
    {
        using var made = await _http.PostAsJsonAsync("/api/v1/events", new { session = _session, time_ns = 5, kind = "fall" });
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        var (address, tag) = (made.Headers.Location!, made.Headers.ETag!.ToString());
        Assert.Equal(HttpStatusCode.OK, await ChangeAsync(tag));
        Assert.Equal(HttpStatusCode.PreconditionFailed, await ChangeAsync(tag));
        Assert.Equal(HttpStatusCode.OK, await ChangeAsync("*"));

        async Task<HttpStatusCode> ChangeAsync(string version)
        {
            using var request = new HttpRequestMessage(HttpMethod.Put, address) { Content = JsonContent.Create(new { time_ns = 6, kind = "fall" }) };
            request.Headers.TryAddWithoutValidation("If-Match", version);
            using var answer = await _http.SendAsync(request);
            return answer.StatusCode;
        }
    }

    [Fact]
    public async Task A_repeated_request_has_its_effect_once()
    {
        var key = Guid.NewGuid().ToString();
        var answers = new List<(HttpStatusCode Status, string Body, bool Replayed)>();
        for (var i = 0; i < 3; i++)
            answers.Add(await PostAsync(key, "once"));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.Created, a.Status));
        Assert.Single(answers.Select(a => a.Body).Distinct());
        Assert.Equal([false, true, true], answers.Select(a => a.Replayed));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await PostAsync(key, "another")).Status);
        // A refused request keeps no key: put right, it is another attempt.
        var second = Guid.NewGuid().ToString();
        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(second, "")).Status);
        Assert.Equal(HttpStatusCode.Created, (await PostAsync(second, "now right")).Status);
        var notes = await _http.GetFromJsonAsync<JsonElement>($"/api/v1/sessions/{_session}/notes");
        Assert.Equal(["once", "now right"], notes.GetProperty("items").EnumerateArray().Select(n => n.GetProperty("text").GetString()));
    }

    [Fact]
    public async Task A_key_makes_no_key_that_may_more_than_itself()
    {
        using var narrow = await PlaneUsers.NewAsync(plane, _http, Roles.Operator, [Scopes.Read, Scopes.Account]);
        using var more = await narrow.PostAsJsonAsync("/api/v1/keys", new { name = "more", scopes = new[] { "read", "command" } });
        Assert.Equal(HttpStatusCode.Forbidden, more.StatusCode);
        using var same = await narrow.PostAsJsonAsync("/api/v1/keys", new { name = "same", scopes = new[] { "read" }, expires_in_days = 366 });
        Assert.Equal(HttpStatusCode.Created, same.StatusCode);
        var made = await same.Content.ReadFromJsonAsync<JsonElement>();
        Assert.True(made.GetProperty("expires_at").GetDateTimeOffset() < DateTimeOffset.UtcNow.AddDays(91));
    }

    [Fact]
    public async Task There_is_always_an_administrator_left()
    {
        var users = (await _http.GetFromJsonAsync<JsonElement>("/api/v1/users")).GetProperty("items").EnumerateArray().ToList();
        var others = users.Where(u => u.GetProperty("user").GetString() != ControlPlaneProcess.AdminUser && u.GetProperty("roles").EnumerateArray().Any(r => r.GetString() == Roles.Administrator));
        foreach (var other in others)
            (await _http.DeleteAsync($"/api/v1/users/{other.GetProperty("id").GetGuid()}")).EnsureSuccessStatusCode();
        var admin = users.Single(u => u.GetProperty("user").GetString() == ControlPlaneProcess.AdminUser).GetProperty("id").GetGuid();
        Assert.Equal(HttpStatusCode.Conflict, (await _http.DeleteAsync($"/api/v1/users/{admin}")).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await _http.PatchAsJsonAsync($"/api/v1/users/{admin}", new { disabled = true })).StatusCode);
        Assert.Equal(HttpStatusCode.Conflict, (await _http.PatchAsJsonAsync($"/api/v1/users/{admin}", new { roles = new[] { "viewer" } })).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync("/api/v1/audit")).StatusCode);
    }

    public static TheoryData<string> Hostile => ["'; drop table sessions; --", "\" or 1=1 --", "<script>alert(1)</script>", "{{7*7}} ${7*7}", "%' or '%'='", "..%2f..%2fetc", "\\u0027", "🦾 ‮rtl", "a b"];

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task Hostile_texts_are_texts_in_every_field(string text)
    {
        var tag = text.Replace("/", "").Replace(",", "");
        (await _http.PutAsync($"/api/v1/sessions/{_session}/tags/{Uri.EscapeDataString(tag)}", null)).EnsureSuccessStatusCode();
        (await _http.PutAsync($"/api/v1/robots/{_robot}/tags/{Uri.EscapeDataString(tag)}", null)).EnsureSuccessStatusCode();
        await StoredAsync($"/api/v1/sessions/{_session}/notes", new { text }, "text", text);
        await StoredAsync("/api/v1/events", new { session = _session, time_ns = 1, kind = text, text }, "text", text);
        await StoredAsync("/api/v1/recipes", new { name = text + _robot, request = new { sessions = Array.Empty<Guid>() } }, "name", text + _robot);
        await StoredAsync("/api/v1/views", new { page = "sessions", name = text + _robot, query = text }, "query", text);
        await StoredAsync("/api/v1/webhooks", new { name = text + _robot, url = "https://example.com/", events = new[] { "robot.offline" } }, "name", text + _robot);
        await StoredAsync("/api/v1/keys", new { name = text, scopes = new[] { "read" } }, "name", text);
        foreach (var name in new[] { "q", "robot", "topic", "type", "tag" })
            Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync($"/api/v1/sessions?{name}={Uri.EscapeDataString(text)}")).StatusCode);
        foreach (var name in new[] { "state", "sort", "from", "loss", "cursor", "limit" })
            Assert.Equal(HttpStatusCode.BadRequest, (await _http.GetAsync($"/api/v1/sessions?{name}={Uri.EscapeDataString(text)}")).StatusCode);
        foreach (var name in new[] { "actor", "action", "subject" })
            Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync($"/api/v1/audit?{name}={Uri.EscapeDataString(text)}")).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await _http.GetAsync($"/api/v1/topics?q={Uri.EscapeDataString(text)}")).StatusCode);
        var found = await _http.GetFromJsonAsync<JsonElement>($"/api/v1/sessions?tag={Uri.EscapeDataString(tag)}&robot={_robot}");
        Assert.Equal(tag.Trim(), found.GetProperty("items")[0].GetProperty("tags")[0].GetString());
    }

    private async Task StoredAsync(string path, object body, string field, string text)
    {
        using var answer = await _http.PostAsJsonAsync(path, body);
        Assert.True(answer.StatusCode == HttpStatusCode.Created, $"{path}: {(int)answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
        Assert.Equal(text.Trim(), (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty(field).GetString());
    }

    private async Task<(HttpStatusCode Status, string Body, bool Replayed)> PostAsync(string key, string text)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/api/v1/sessions/{_session}/notes") { Content = JsonContent.Create(new { text }) };
        request.Headers.Add("Idempotency-Key", key);
        using var answer = await _http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync(), answer.Headers.Contains("Idempotency-Replayed"));
    }
}
