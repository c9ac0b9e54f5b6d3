using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Access;

/// <summary>A control plane with an identity provider, few requests per minute, and an administrator who has not chosen a password.</summary>
public sealed class ConfiguredPlaneTests(PostgresServer postgres, S3Server s3) : IAsyncLifetime
{
    private readonly MosquittoBroker _broker = new();
    private IdentityProvider _provider = null!;
    private ControlPlaneProcess _plane = null!;

    public async ValueTask InitializeAsync()
    {
        await _broker.InitializeAsync();
        _provider = await IdentityProvider.StartAsync();
        _plane = new ControlPlaneProcess(postgres, _broker, s3);
        foreach (var (key, value) in new[]
        {
            ("Oidc__Authority", _provider.Address), ("Oidc__ClientId", IdentityProvider.ClientId), ("Oidc__ClientSecret", IdentityProvider.ClientSecret),
            ("Oidc__Name", "the company"), ("Oidc__RoleClaim", "groups"), ("Oidc__Roles__fleet", "operator"), ("Oidc__Roles__board", "viewer"),
        })
        {
            _plane.Settings[key] = value;
        }
        await _plane.InitializeAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _plane.DisposeAsync();
        await _provider.DisposeAsync();
        await _broker.DisposeAsync();
    }

    [Fact]
    public async Task The_provider_says_who_comes_and_what_they_are()
    {
        _provider.Visitor = new() { ["sub"] = "1", ["preferred_username"] = "carol", ["groups"] = new[] { "fleet", "canteen" } };
        Assert.Equal("/fleet", await VisitAsync());
        using var admin = await PlaneUsers.AdminAsync(_plane);
        Assert.Equal("operator", await RoleAsync(admin, "carol"));

        // At the next sign-in the provider's word has changed.
        _provider.Visitor["groups"] = "board";
        Assert.Equal("/fleet", await VisitAsync());
        Assert.Equal("viewer", await RoleAsync(admin, "carol"));

        _provider.Visitor["groups"] = "canteen";
        Assert.Equal("/login?external=role", await VisitAsync());
        // A name that is taken by a user with a password is not had by asking for it elsewhere.
        _provider.Visitor = new() { ["sub"] = "2", ["preferred_username"] = ControlPlaneProcess.AdminUser, ["groups"] = "fleet" };
        Assert.Equal("/login?external=name", await VisitAsync());
        _provider.Visitor = new() { ["sub"] = "3", ["preferred_username"] = "mallory", ["groups"] = "fleet" };
        _provider.Forges = true;
        Assert.Equal("/login?external=failed", await VisitAsync());

        var log = await admin.GetStringAsync("/api/v1/audit?action=login.failed");
        Assert.Contains("the company: role", log);
        Assert.Contains("the company: name", log);
    }

    [Fact]
    public async Task A_first_password_opens_nothing_but_its_replacement()
    {
        using var admin = await PlaneUsers.AdminAsync(_plane);
        using var made = await admin.PostAsJsonAsync("/api/v1/users", new { user = "dave", roles = new[] { "viewer" } });
        var password = (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("password").GetString()!;

        using var login = await admin.PostAsJsonAsync("/api/v1/login", new { user = "dave", password });
        Assert.Equal(HttpStatusCode.Forbidden, login.StatusCode);
        using var browser = new HttpClient(new HttpClientHandler { CookieContainer = new CookieContainer() }) { BaseAddress = new Uri(_plane.Address) };
        var page = await browser.GetStringAsync("/login");
        var token = System.Text.RegularExpressions.Regex.Match(page, "name=\"__RequestVerificationToken\"[^>]*value=\"([^\"]+)\"").Groups[1].Value;
        using var signedIn = await browser.PostAsync("/account/login", new FormUrlEncodedContent(
            new Dictionary<string, string> { ["user"] = "dave", ["password"] = password, ["returnUrl"] = "/fleet", ["__RequestVerificationToken"] = token }));
        Assert.Equal("/account/password", signedIn.RequestMessage!.RequestUri!.AbsolutePath);
        using var sessions = await browser.GetAsync("/sessions");
        Assert.Equal("/account/password", sessions.RequestMessage!.RequestUri!.AbsolutePath);

        using var changed = await admin.PostAsJsonAsync("/api/v1/password", new { user = "dave", password, new_password = PlaneUsers.Password });
        Assert.Equal(HttpStatusCode.NoContent, changed.StatusCode);
        using var dave = await PlaneUsers.LogInAsync(_plane, "dave", PlaneUsers.Password);
        Assert.Equal(HttpStatusCode.OK, (await dave.GetAsync("/api/v1/robots")).StatusCode);
        // A reset takes the keys back too, until another password is chosen.
        var id = (await admin.GetFromJsonAsync<JsonElement>("/api/v1/users")).GetProperty("items").EnumerateArray().Single(u => u.GetProperty("user").GetString() == "dave").GetProperty("id").GetGuid();
        (await admin.PostAsync($"/api/v1/users/{id}/password", null)).EnsureSuccessStatusCode();
        Assert.Equal(HttpStatusCode.Forbidden, (await dave.GetAsync("/api/v1/robots")).StatusCode);
    }

    [Fact]
    public async Task Who_asks_too_often_is_told_when_to_come_back()
    {
        using var http = await PlaneUsers.AdminAsync(_plane);
        await _plane.StopAsync();
        _plane.Settings["Api__RequestsPerMinute"] = "30";
        await _plane.StartAsync();
        HttpResponseMessage answer;
        var allowed = 0;
        while ((answer = await http.GetAsync("/api/v1/me")).StatusCode == HttpStatusCode.OK && allowed < 100)
            allowed++;
        Assert.InRange(allowed, 30, 60);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.InRange(int.Parse(answer.Headers.RetryAfter!.ToString()), 1, 60);
        Assert.Equal("application/problem+json", answer.Content.Headers.ContentType?.MediaType);
    }

    private async Task<string> VisitAsync()
    {
        using var browser = new HttpClient(new HttpClientHandler { CookieContainer = new CookieContainer(), MaxAutomaticRedirections = 20 }) { BaseAddress = new Uri(_plane.Address) };
        using var answer = await browser.GetAsync("/account/oidc?returnUrl=/fleet");
        return answer.RequestMessage!.RequestUri!.PathAndQuery;
    }

    private static async Task<string> RoleAsync(HttpClient admin, string user) => (await admin.GetFromJsonAsync<JsonElement>("/api/v1/users"))
        .GetProperty("items").EnumerateArray().Single(u => u.GetProperty("user").GetString() == user).GetProperty("roles")[0].GetString()!;
}
