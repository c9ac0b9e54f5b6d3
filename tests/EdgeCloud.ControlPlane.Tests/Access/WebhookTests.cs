using System.Collections.Concurrent;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Access.Webhooks;
using EdgeCloud.Testing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace EdgeCloud.ControlPlane.Tests.Access;

/// <summary>What a receiver sees: signed, once per event when it answers, again when it does not; and where deliveries never go.</summary>
[Collection(nameof(ControlPlaneCollection))]
public sealed class WebhookTests(ControlPlaneProcess plane) : IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<(string Id, string Timestamp, string Signature, byte[] Body)> _received = new();
    private readonly Queue<int> _answers = new();
    private WebApplication _receiver = null!;
    private HttpClient _admin = null!;
    private string _url = "";

    public async ValueTask InitializeAsync()
    {
        _admin = await PlaneUsers.AdminAsync(plane);
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        _receiver = builder.Build();
        _receiver.MapPost("/hook", async (HttpRequest request) =>
        {
            using var body = new MemoryStream();
            await request.Body.CopyToAsync(body);
            _received.Enqueue((request.Headers["webhook-id"].ToString(), request.Headers["webhook-timestamp"].ToString(),
                request.Headers["webhook-signature"].ToString(), body.ToArray()));
            lock (_answers)
                return Results.StatusCode(_answers.Count > 0 ? _answers.Dequeue() : 200);
        });
        await _receiver.StartAsync();
        _url = _receiver.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First() + "/hook";
    }

    public async ValueTask DisposeAsync()
    {
        await _receiver.DisposeAsync();
        _admin.Dispose();
    }

    [Fact]
    public async Task A_delivery_is_signed_and_arrives_after_failures_until_it_is_taken()
    {
        _answers.Enqueue(500);
        _answers.Enqueue(302);
        var (id, secret) = await CreateAsync("robot.offline");
        using var test = await _admin.PostAsync($"/api/v1/webhooks/{id}/test", null);
        Assert.Equal(HttpStatusCode.Accepted, test.StatusCode);

        var delivery = (await Eventually.Gives(async () =>
        {
            var taken = (await DeliveriesAsync(id)).Where(d => d.GetProperty("status").GetString() == "delivered").ToList();
            return taken.Count > 0 ? taken : null;
        }, Deadline, "the delivery was taken"))[0];
        Assert.Equal(3, delivery.GetProperty("attempts").GetInt32());
        Assert.Equal(200, delivery.GetProperty("response_status").GetInt32());
        var mine = _received.Where(r => r.Id == delivery.GetProperty("id").GetString()).ToList();
        Assert.Equal(3, mine.Count);
        Assert.All(mine, r =>
        {
            var key = Convert.FromBase64String(secret["whsec_".Length..]);
            byte[] content = [.. Encoding.UTF8.GetBytes($"{r.Id}.{r.Timestamp}."), .. r.Body];
            Assert.Equal("v1," + Convert.ToBase64String(HMACSHA256.HashData(key, content)), r.Signature);
            Assert.Equal("test", JsonDocument.Parse(r.Body).RootElement.GetProperty("event").GetString());
        });
    }

    [Fact]
    public async Task What_happens_in_the_catalogue_is_told_to_whoever_asked_for_it()
    {
        var (offline, _) = await CreateAsync("robot.offline");
        var (alarms, _) = await CreateAsync("robot.alarm");
        var (losses, _) = await CreateAsync("loss.reported");
        var robot = $"told-{Guid.NewGuid():N}"[..20];
        await using var data = NpgsqlDataSource.Create(plane.ConnectionString);
        await ExecuteAsync(data, $"insert into robots (id, online, first_seen_at, state_revision_epoch, state_revision_number, telemetry_revision_epoch, telemetry_revision_number) values ('{robot}', true, now(), 0, 0, 0, 0)");
        await ExecuteAsync(data, $"update robots set state = '{StateOf(robot, "disk full")}' where id = '{robot}'");
        await ExecuteAsync(data, $"update robots set state = '{StateOf(robot, "disk full", "no clock")}', online = false where id = '{robot}'");
        var session = Guid.NewGuid();
        await ExecuteAsync(data, $"insert into sessions (id, robot, date, object_prefix, revision_epoch, revision_number, name, state, reason, issuer, started_at, lost, created_at, updated_at) values ('{session}', '{robot}', '2026-03-01', '', 0, 0, '', 'recording', '', '', now(), 0, now(), now())");
        await ExecuteAsync(data, $"insert into segments (session_date, session_id, sequence, robot, custody, announced, revision_epoch, revision_number, reason, object_key, bytes, messages, lost, log_time_start_ns, log_time_end_ns, manifest, announced_at, updated_at) values ('2026-03-01', '{session}', 1, '{robot}', 'sealed', 'sealed', 0, 0, '', '', 1, 1, 7, 0, 0, '{{}}', now(), now())");

        Assert.Equal([robot], (await SubjectsAsync(offline, 1, robot)).Select(s => s["robot:".Length..]));
        Assert.Equal(2, (await SubjectsAsync(alarms, 2, robot)).Count);
        Assert.Equal([$"session:{session}"], await SubjectsAsync(losses, 1, session.ToString()));
        var told = _received.Select(r => JsonDocument.Parse(r.Body).RootElement).Where(r => r.GetProperty("subject").GetString() == $"robot:{robot}" && r.GetProperty("event").GetString() == "robot.alarm").ToList();
        Assert.Contains(told, r => r.GetProperty("data").GetProperty("alarms")[0].GetString() == "no clock");
    }

    [Theory]
    [InlineData("ftp://example.com/x")]
    [InlineData("http://user:pass@example.com/")]
    [InlineData("http://10.0.0.1/")]
    [InlineData("http://169.254.169.254/latest/meta-data")]
    [InlineData("http://[::ffff:10.0.0.1]/")]
    [InlineData("http://[fd00::1]/")]
    [InlineData("http://0x0a000001/")]
    [InlineData("nonsense")]
    public async Task An_address_inside_is_refused_when_it_is_given(string url)
    {
        using var answer = await _admin.PostAsJsonAsync("/api/v1/webhooks", new { name = $"w {Guid.NewGuid()}", url, events = new[] { "robot.offline" } });
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("url", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_name_that_means_an_address_inside_is_refused_when_it_is_connected_to()
    {
        var target = new WebhookTarget(new ConfigurationBuilder().Build());
        using var http = target.NewClient(Deadline);
        // localhost passes the first check, as a name that its owner points at 127.0.0.1 would.
        target.Check(_url.Replace("127.0.0.1", "localhost"));
        var refused = await Assert.ThrowsAsync<HttpRequestException>(() => http.GetAsync(_url.Replace("127.0.0.1", "localhost")));
        Assert.Contains("closed network", refused.ToString());
        Assert.Empty(_received);
    }

    private async Task<(Guid Id, string Secret)> CreateAsync(params string[] events)
    {
        using var answer = await _admin.PostAsJsonAsync("/api/v1/webhooks", new { name = $"w {Guid.NewGuid()}", url = _url, events });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        var made = await answer.Content.ReadFromJsonAsync<JsonElement>();
        return (made.GetProperty("id").GetGuid(), made.GetProperty("secret").GetString()!);
    }

    private async Task<List<string>> SubjectsAsync(Guid webhook, int atLeast, string about) => (await Eventually.Gives(async () =>
    {
        var found = (await DeliveriesAsync(webhook)).Where(d => d.GetProperty("status").GetString() == "delivered")
            .Select(d => d.GetProperty("subject").GetString()!).Where(s => s.EndsWith(about, StringComparison.Ordinal)).ToList();
        return found.Count >= atLeast ? found : null;
    }, Deadline, "the deliveries were taken"));

    private async Task<IReadOnlyList<JsonElement>> DeliveriesAsync(Guid webhook) =>
        [.. (await _admin.GetFromJsonAsync<JsonElement>($"/api/v1/webhooks/{webhook}/deliveries")).GetProperty("items").EnumerateArray()];

    private static string StateOf(string robot, params string[] alarms) => Encoding.UTF8.GetString(ContractJson.Write(new StateMessage
    {
        Robot = robot,
        Revision = new Revision(1, 1),
        Online = true,
        TimeNs = 1,
        AgentVersion = "test",
        Alarms = alarms,
    }));

    private static async Task ExecuteAsync(NpgsqlDataSource data, string sql)
    {
        await using var command = data.CreateCommand(sql);
        await command.ExecuteNonQueryAsync();
    }
}
