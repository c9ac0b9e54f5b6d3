using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Rest;

/// <summary>The REST API as a program uses it, with an API key of the first administrator.</summary>
public sealed class ApiClient : IDisposable
{
    private readonly HttpClient _http;

    private ApiClient(HttpClient http) => _http = http;

    public static async Task<ApiClient> LoginAsync(
        ControlPlaneProcess plane, string user = ControlPlaneProcess.AdminUser, string password = ControlPlaneProcess.AdminPassword)
    {
        var http = new HttpClient { BaseAddress = new Uri(plane.Address) };
        var response = await http.PostAsJsonAsync("/api/v1/login", new { user, password });
        response.EnsureSuccessStatusCode();
        var login = await response.Content.ReadFromJsonAsync(ApiJsonContext.Default.LoginResponse);
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", login!.Token);
        return new ApiClient(http);
    }

    public async Task<T?> TryGetAsync<T>(string path) where T : class
    {
        var response = await _http.GetAsync(path);
        return response.IsSuccessStatusCode ? await ReadAsync<T>(response) : null;
    }

    public Task<HttpResponseMessage> ReadAsync(string path) => _http.GetAsync(path);

    public async Task<T> GetAsync<T>(string path) => await ReadAsync<T>(await _http.GetAsync(path));

    public async Task<T> PostAsync<T>(string path, object? body = null) => await ReadAsync<T>(await SendAsync(path, body));

    public Task<HttpResponseMessage> SendAsync(string path, object? body) => _http.PostAsync(path, body is null ? null : JsonContent.Create(body));

    public Task<HttpResponseMessage> DeleteAsync(string path) => _http.DeleteAsync(path);

    public Task<byte[]> DownloadAsync(string address) => new HttpClient().GetByteArrayAsync(address);

    public void Dispose() => _http.Dispose();

    private static async Task<T> ReadAsync<T>(HttpResponseMessage response)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{(int)response.StatusCode} {text}");
        return (T)JsonSerializer.Deserialize(text, ApiJsonContext.Default.GetTypeInfo(typeof(T))!)!;
    }
}
