using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Testing;

/// <summary>The control plane's REST API as a test uses it: the contract's records over plain HTTP.</summary>
public sealed class EdgeCloudApi : IDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);
    private readonly HttpClient _http;

    private EdgeCloudApi(HttpClient http, string token)
    {
        _http = http;
        Token = token;
    }

    /// <summary>The API key.</summary>
    public string Token { get; }

    /// <summary>Logs in.</summary>
    public static async Task<EdgeCloudApi> LogInAsync(string url, string user, string password)
    {
        var http = new HttpClient { BaseAddress = new Uri(url + "/api/v1/") };
        using var answer = await http.PostAsJsonAsync(
            "login", new LoginRequest { User = user, Password = password, KeyName = "test" }, ApiJsonContext.Default.LoginRequest);
        var token = (await ReadAsync(answer, ApiJsonContext.Default.LoginResponse)).Token;
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
        return new EdgeCloudApi(http, token);
    }

    /// <summary>GET; a refusal is an exception that holds the answer's text.</summary>
    public async Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type)
    {
        using var answer = await _http.GetAsync(path);
        return await ReadAsync(answer, type);
    }

    /// <summary>POST; a refusal is an exception that holds the answer's text.</summary>
    public async Task<TAnswer> PostAsync<TBody, TAnswer>(string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> type)
    {
        using var answer = await _http.PostAsJsonAsync(path, body, bodyType);
        return await ReadAsync(answer, type);
    }

    /// <summary>POST without a body.</summary>
    public async Task<T> PostAsync<T>(string path, JsonTypeInfo<T> type)
    {
        using var answer = await _http.PostAsync(path, null);
        return await ReadAsync(answer, type);
    }

    /// <summary>DELETE; a refusal is an exception that holds the answer's text.</summary>
    public async Task DeleteAsync(string path)
    {
        using var answer = await _http.DeleteAsync(path);
        await RequireAsync(answer);
    }

    /// <summary>A robot; null while the control plane has never heard of it.</summary>
    public async Task<RobotView?> FindRobotAsync(string robot) =>
        (await GetAsync("robots", ApiJsonContext.Default.PageRobotView)).Items.FirstOrDefault(r => r.Robot == robot);

    /// <summary>Waits until the robot is online and <paramref name="condition"/> holds for what it says of itself.</summary>
    public Task<RobotView> WaitForRobotAsync(string robot, Func<StateMessage, bool> condition, string description) =>
        Eventually.Gives(
            async () => await FindRobotAsync(robot) is { Online: true, State: { } state } view && condition(state) ? view : null,
            Deadline, $"{robot} {description}");

    /// <summary>Waits until the session is in the catalogue and <paramref name="condition"/> holds for it.</summary>
    public Task<SessionView> WaitForSessionAsync(Guid session, Func<SessionView, bool> condition, string description) =>
        Eventually.Gives(
            async () =>
            {
                using var answer = await _http.GetAsync($"sessions/{session}");
                if (answer.StatusCode == System.Net.HttpStatusCode.NotFound)
                    return null;
                var view = await ReadAsync(answer, ApiJsonContext.Default.SessionView);
                return condition(view) ? view : null;
            },
            Deadline, $"session {session} {description}");

    /// <summary>A session's segments in order.</summary>
    public async Task<IReadOnlyList<SegmentView>> SegmentsAsync(Guid session)
    {
        List<SegmentView> segments = [];
        string? cursor = null;
        do
        {
            var page = await GetAsync(
                $"sessions/{session}/segments?limit=100{(cursor is null ? "" : $"&cursor={Uri.EscapeDataString(cursor)}")}", ApiJsonContext.Default.PageSegmentView);
            segments.AddRange(page.Items);
            cursor = page.NextCursor;
        }
        while (cursor is not null);
        return segments;
    }

    /// <summary>Tells the robot what to do and waits for its last answer, whatever that is.</summary>
    public async Task<CommandView> CommandAsync(string robot, CommandRequest request)
    {
        var issued = await PostAsync(
            $"robots/{robot}/commands", request, ApiJsonContext.Default.CommandRequest, ApiJsonContext.Default.CommandView);
        return await Eventually.Gives(
            async () =>
            {
                var view = await GetAsync($"commands/{issued.Id}", ApiJsonContext.Default.CommandView);
                return view.Status is CommandStatus.Succeeded or CommandStatus.Failed or CommandStatus.Rejected or CommandStatus.Expired ? view : null;
            },
            Deadline, $"{robot} answers {request.Command}");
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private static async Task<T> ReadAsync<T>(HttpResponseMessage answer, JsonTypeInfo<T> type)
    {
        await RequireAsync(answer);
        return (await answer.Content.ReadFromJsonAsync(type))!;
    }

    private static async Task RequireAsync(HttpResponseMessage answer)
    {
        if (!answer.IsSuccessStatusCode)
        {
            throw new HttpRequestException(
                $"{answer.RequestMessage!.Method} {answer.RequestMessage.RequestUri} answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}",
                null, answer.StatusCode);
        }
    }
}
