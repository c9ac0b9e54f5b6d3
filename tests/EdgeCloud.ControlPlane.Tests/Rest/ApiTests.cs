using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Rest;

[Collection(nameof(ControlPlaneCollection))]
public sealed class ApiTests(ControlPlaneProcess plane) : IAsyncLifetime
{
    private readonly HttpClient _http = new() { BaseAddress = new Uri(plane.Address) };

    public async ValueTask InitializeAsync() => _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await LoginAsync());

    public ValueTask DisposeAsync()
    {
        _http.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task It_is_ready_when_database_broker_and_bucket_answer()
    {
        var ready = await _http.GetFromJsonAsync<Dictionary<string, string>>("/readyz");
        Assert.Equal(["broker ok", "bucket ok", "database ok"], ready!.Select(r => $"{r.Key} {r.Value}").Order());
    }

    [Theory]
    [InlineData("GET", "/api/v1/robots")]
    [InlineData("GET", "/api/v1/robots/amr-01")]
    [InlineData("GET", "/api/v1/robots/amr-01/commands")]
    [InlineData("POST", "/api/v1/robots/amr-01/commands")]
    [InlineData("GET", "/api/v1/commands/01900000-0000-7000-8000-000000000000")]
    [InlineData("GET", "/api/v1/sessions")]
    [InlineData("GET", "/api/v1/sessions/01900000-0000-7000-8000-000000000000")]
    [InlineData("GET", "/api/v1/sessions/01900000-0000-7000-8000-000000000000/segments")]
    [InlineData("POST", "/api/v1/sessions/01900000-0000-7000-8000-000000000000/fetch")]
    [InlineData("GET", "/api/v1/sessions/01900000-0000-7000-8000-000000000000/verification")]
    [InlineData("GET", "/api/v1/exports")]
    [InlineData("POST", "/api/v1/exports")]
    [InlineData("GET", "/api/v1/exports/01900000-0000-7000-8000-000000000000")]
    [InlineData("POST", "/api/v1/exports/01900000-0000-7000-8000-000000000000/cancel")]
    [InlineData("GET", "/metrics")]
    public async Task Nothing_is_open_without_a_key(string method, string path)
    {
        foreach (var authorization in new[] { null, "Bearer", "Bearer ec_0000", "Basic YWRtaW46YWRtaW4=" })
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), plane.Address + path);
            if (authorization is not null)
                request.Headers.TryAddWithoutValidation("Authorization", authorization);
            using var anonymous = new HttpClient();
            var response = await anonymous.SendAsync(request);
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        }
    }

    [Theory]
    [InlineData("/api/v1/robots?limit=0", 400, "limit")]
    [InlineData("/api/v1/robots?limit=ten", 400, "limit")]
    [InlineData("/api/v1/sessions?cursor=%2A", 400, "cursor")]
    [InlineData("/api/v1/sessions?cursor=AAAA", 400, "cursor")]
    [InlineData("/api/v1/sessions?state=running", 400, "recording, paused, finishing")]
    [InlineData("/api/v1/robots/nobody", 404, "nobody")]
    [InlineData("/api/v1/sessions/01900000-0000-7000-8000-000000000000", 404, "01900000-0000-7000-8000-000000000000")]
    [InlineData("/api/v1/exports/01900000-0000-7000-8000-000000000000", 404, "01900000-0000-7000-8000-000000000000")]
    [InlineData("/api/v1/nothing", 404, "")]
    public async Task A_wrong_request_is_answered_with_problem_details_that_name_what_is_wrong(string path, int status, string named)
    {
        var response = await _http.GetAsync(path);
        Assert.Equal(status, (int)response.StatusCode);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        Assert.Contains(named, await response.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("{}", "sessions")]
    [InlineData("{\"sessions\":[]}", "sessions")]
    [InlineData("{\"sessions\":[\"01900000-0000-7000-8000-000000000000\"]}", "01900000-0000-7000-8000-000000000000")]
    [InlineData("{\"sessions\":[\"01900000-0000-7000-8000-000000000000\"],\"format\":\"docx\"}", "format")]
    [InlineData("{\"sessions\":[\"01900000-0000-7000-8000-000000000000\"],\"from_ns\":5,\"to_ns\":5}", "to_ns")]
    [InlineData("{\"sessions\":[1]}", "sessions")]
    [InlineData("not json", "")]
    public async Task A_wrong_export_request_is_refused_with_the_field(string body, string named)
    {
        var response = await _http.PostAsync("/api/v1/exports", new StringContent(body, MediaTypeHeaderValue.Parse("application/json")));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.Contains(named, await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task A_wrong_password_is_refused_in_the_same_words_as_an_unknown_user()
    {
        var texts = new List<string>();
        foreach (var user in new[] { ControlPlaneProcess.AdminUser, "nobody" })
        {
            var response = await _http.PostAsJsonAsync("/api/v1/login", new { user, password = "wrong" });
            Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
            texts.Add((await response.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("detail").GetString()!);
        }
        Assert.Single(texts.Distinct());
    }

    [Fact]
    public async Task The_openapi_document_names_every_operation_and_where_a_key_is_needed()
    {
        var document = await _http.GetFromJsonAsync<JsonElement>("/openapi/v1.json");
        var operations = document.GetProperty("paths").EnumerateObject().SelectMany(p => p.Value.EnumerateObject()).ToList();
        var ids = operations.Select(o => o.Value.GetProperty("operationId").GetString()).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
        Assert.Subset(ids.ToHashSet(), new HashSet<string?> { "login", "listRobots", "issueCommand", "listSessions", "fetchSession", "verifySession", "deleteSession", "createNote", "createEvent", "createExport", "estimateExport", "retryExport", "listExportFiles" });
        Assert.All(operations, o => Assert.False(string.IsNullOrEmpty(o.Value.GetProperty("summary").GetString())));
        Assert.All(operations, o => Assert.Equal(
            o.Value.GetProperty("operationId").GetString() is not ("login" or "changePassword"), o.Value.TryGetProperty("security", out _)));
        Assert.Equal("bearer",
            document.GetProperty("components").GetProperty("securitySchemes").GetProperty("api-key").GetProperty("scheme").GetString());
    }

    [Fact]
    public async Task Metrics_are_prometheus_text()
    {
        var text = await _http.GetStringAsync("/metrics");
        Assert.Contains("# TYPE edgecloud_broker_connected gauge\nedgecloud_broker_connected 1\n", text);
    }

    private async Task<string> LoginAsync()
    {
        var response = await _http.PostAsJsonAsync("/api/v1/login",
            new { user = ControlPlaneProcess.AdminUser, password = ControlPlaneProcess.AdminPassword });
        response.EnsureSuccessStatusCode();
        return (await response.Content.ReadFromJsonAsync(ApiJsonContext.Default.LoginResponse))!.Token;
    }
}
