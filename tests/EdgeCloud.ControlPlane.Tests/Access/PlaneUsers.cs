using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Access;

/// <summary>Makes users and keys of a control plane by its own API, as an administrator would.</summary>
internal static class PlaneUsers
{
    public const string Password = "another password of the tests";

    /// <summary>A client with a key of the first administrator.</summary>
    public static Task<HttpClient> AdminAsync(ControlPlaneProcess plane) =>
        LogInAsync(plane, ControlPlaneProcess.AdminUser, ControlPlaneProcess.AdminPassword);

    /// <summary>A client with a key of a new user of the given role.</summary>
    public static async Task<HttpClient> NewAsync(ControlPlaneProcess plane, HttpClient admin, string role, string[]? scopes = null)
    {
        var name = $"{role}-{Guid.NewGuid():N}"[..30];
        using var made = await admin.PostAsJsonAsync("/api/v1/users", new { user = name, roles = new[] { role } });
        made.EnsureSuccessStatusCode();
        var first = (await made.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("password").GetString();
        using var changed = await admin.PostAsJsonAsync("/api/v1/password", new { user = name, password = first, new_password = Password });
        changed.EnsureSuccessStatusCode();
        return await LogInAsync(plane, name, Password, scopes);
    }

    /// <summary>A client with a key of a user, for some scopes or all.</summary>
    public static async Task<HttpClient> LogInAsync(ControlPlaneProcess plane, string user, string password, string[]? scopes = null)
    {
        var http = new HttpClient { BaseAddress = new Uri(plane.Address) };
        using var answer = await http.PostAsJsonAsync("/api/v1/login", new { user, password, scopes = scopes ?? Scopes.All });
        answer.EnsureSuccessStatusCode();
        var token = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("token").GetString();
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return http;
    }
}
