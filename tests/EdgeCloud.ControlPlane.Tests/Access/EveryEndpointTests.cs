using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Access;

/// <summary>
/// Every endpoint of the control plane, as its own endpoint data source lists them, is tried by nobody, by each role and by keys without
/// the scope. What each is open to stands in one table here: an endpoint that is not in it fails the test, so that none is forgotten.
/// </summary>
[Collection(nameof(ControlPlaneCollection))]
public sealed class EveryEndpointTests(ControlPlaneProcess plane) : IAsyncLifetime
{
    private static readonly Dictionary<string, string[]> RolesByPolicy = new()
    {
        [Policies.Read] = Roles.All,
        [Policies.Account] = Roles.All,
        [Policies.Annotate] = [Roles.DataScientist, Roles.Operator, Roles.Administrator],
        [Policies.Export] = [Roles.DataScientist, Roles.Operator, Roles.Administrator],
        [Policies.Command] = [Roles.Operator, Roles.Administrator],
        [Policies.Delete] = [Roles.Operator, Roles.Administrator],
        [Policies.Administer] = [Roles.Administrator],
    };

    private HttpClient _admin = null!;

    public async ValueTask InitializeAsync() => _admin = await PlaneUsers.AdminAsync(plane);

    public ValueTask DisposeAsync()
    {
        _admin.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task Nobody_gets_anywhere_without_login()
    {
        var endpoints = await EndpointsAsync();
        Assert.True(endpoints.Count > 40, $"only {endpoints.Count} endpoints");
        using var handler = new HttpClientHandler { AllowAutoRedirect = false };
        using var http = new HttpClient(handler) { BaseAddress = new Uri(plane.Address) };
        var wrong = new List<string>();
        foreach (var endpoint in endpoints)
        {
            foreach (var authorization in new[] { null, "Bearer ec_0000", "Basic YWRtaW46YWRtaW4=" })
            {
                var answer = await SendAsync(http, endpoint, authorization);
                if (!Open.Contains(endpoint.Name) && !IsRefusal(endpoint, answer))
                    wrong.Add($"{endpoint.Name}: {(int)answer}");
            }
        }
        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData(Roles.Viewer)]
    [InlineData(Roles.DataScientist)]
    [InlineData(Roles.Operator)]
    [InlineData(Roles.Administrator)]
    public async Task A_role_may_what_it_is_for_and_nothing_else(string role)
    {
        using var http = await PlaneUsers.NewAsync(plane, _admin, role);
        await AssertAllowedAsync(http, policy => RolesByPolicy[policy].Contains(role));
    }

    [Theory]
    [InlineData(Scopes.Read)]
    [InlineData(Scopes.Annotate)]
    [InlineData(Scopes.Export)]
    [InlineData(Scopes.Command)]
    [InlineData(Scopes.Delete)]
    [InlineData(Scopes.Account)]
    [InlineData(Scopes.Administer)]
    public async Task An_administrators_key_may_what_its_scope_is_for_and_nothing_else(string scope)
    {
        using var http = await PlaneUsers.NewAsync(plane, _admin, Roles.Administrator, [scope]);
        await AssertAllowedAsync(http, policy => policy == scope);
    }

    // Whoever may is answered whatever the request deserves, which asks for things that are not there; who may not, with 403.
    private async Task AssertAllowedAsync(HttpClient http, Func<string, bool> may)
    {
        var wrong = new List<string>();
        foreach (var endpoint in (await EndpointsAsync()).Where(e => e.Path.StartsWith("/api/", StringComparison.Ordinal) && !Open.Contains(e.Name)))
        {
            var answer = await SendAsync(http, endpoint, null);
            // An endpoint below a group has the group's policy and its own: all of them are demanded.
            var expected = endpoint.Policies.All(may);
            if (answer == HttpStatusCode.Unauthorized || (answer == HttpStatusCode.Forbidden) == expected || (int)answer >= 500)
                wrong.Add($"{endpoint.Name} ({string.Join("+", endpoint.Policies)}): {(int)answer}");
        }
        Assert.Empty(wrong);
    }

    private static readonly string[] Open =
    [
        "POST /api/v1/login", "POST /api/v1/password", "GET /healthz", "GET /readyz", "GET /openapi/{documentName}.json", "GET /login",
        "POST /login", "POST /account/login", "GET /not-found", "POST /not-found", "GET /denied", "POST /denied",
    ];

    private static bool IsRefusal(Endpoint endpoint, HttpStatusCode answer) => endpoint.Path.StartsWith("/api/", StringComparison.Ordinal)
        ? answer == HttpStatusCode.Unauthorized
        // Pages lead to the login; their forms are refused for want of a token of this site already.
        : answer is HttpStatusCode.Redirect or HttpStatusCode.Unauthorized or HttpStatusCode.BadRequest;

    private async Task<IReadOnlyList<Endpoint>> EndpointsAsync()
    {
        var listed = await _admin.GetFromJsonAsync<JsonElement>("/api/v1/system/endpoints");
        return [.. listed.GetProperty("items").EnumerateArray().Select(e => new Endpoint(
            e.GetProperty("method").GetString()!, e.GetProperty("path").GetString()!,
            [.. e.GetProperty("policies").EnumerateArray().Select(p => p.GetString()!)]))
            .Where(e => !e.Path.StartsWith("/_", StringComparison.Ordinal) && !e.Path.Contains("{**"))];
    }

    private static async Task<HttpStatusCode> SendAsync(HttpClient http, Endpoint endpoint, string? authorization)
    {
        var path = System.Text.RegularExpressions.Regex.Replace(endpoint.Path, @"\{([^}:?]+)(:[^}]+)?\??\}", match => match.Groups[2].Value switch
        {
            ":guid" => "01900000-0000-7000-8000-000000000000",
            ":int" or ":long" => "1",
            _ => match.Groups[1].Value == "documentName" ? "v1" : "nobody",
        });
        using var request = new HttpRequestMessage(new HttpMethod(endpoint.Method), path);
        if (endpoint.Method is "POST" or "PUT" or "PATCH")
            request.Content = JsonContent.Create(new { });
        if (authorization is not null)
            request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        return answer.StatusCode;
    }

    private sealed record Endpoint(string Method, string Path, string[] Policies)
    {
        public string Name => $"{Method} {Path}";
    }
}
