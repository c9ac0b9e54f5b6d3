using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli;

/// <summary>Speaks to the control plane's REST API, and says in one line what went wrong.</summary>
public sealed class ApiClient : IDisposable
{
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(60) };
    private readonly string _url;

    /// <summary>A client with a key.</summary>
    public ApiClient(Credentials credentials) : this(credentials.Url) =>
        _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", credentials.Token);

    /// <summary>A client without a key, for logging in.</summary>
    public ApiClient(string url)
    {
        _url = url;
        _http.BaseAddress = new Uri(url + "/api/v1/");
        _http.DefaultRequestHeaders.Accept.Add(new MediaTypeWithQualityHeaderValue("application/json"));
    }

    /// <summary>The client of whoever is logged in.</summary>
    public static ApiClient OfUser() => new(Credentials.Load());

    /// <summary>GET.</summary>
    public Task<T> GetAsync<T>(string path, JsonTypeInfo<T> type, CancellationToken cancellation) where T : class =>
        SendAsync(new HttpRequestMessage(HttpMethod.Get, path), type, cancellation);

    /// <summary>POST.</summary>
    public Task<TAnswer> PostAsync<TBody, TAnswer>(
        string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> type, CancellationToken cancellation) where TAnswer : class =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, bodyType) }, type, cancellation);

    /// <summary>POST without a body.</summary>
    public Task<TAnswer> PostAsync<TAnswer>(string path, JsonTypeInfo<TAnswer> type, CancellationToken cancellation) where TAnswer : class =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, path), type, cancellation);

    /// <summary>POST whose answer says nothing.</summary>
    public Task PostAsync<TBody>(string path, TBody body, JsonTypeInfo<TBody> bodyType, CancellationToken cancellation) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Post, path) { Content = JsonContent.Create(body, bodyType) }, cancellation);

    /// <summary>PUT without a body.</summary>
    public Task<TAnswer> PutAsync<TAnswer>(string path, JsonTypeInfo<TAnswer> type, CancellationToken cancellation) where TAnswer : class =>
        SendAsync(new HttpRequestMessage(HttpMethod.Put, path), type, cancellation);

    /// <summary>PUT or PATCH.</summary>
    public Task<TAnswer> ChangeAsync<TBody, TAnswer>(
        HttpMethod method, string path, TBody body, JsonTypeInfo<TBody> bodyType, JsonTypeInfo<TAnswer> type, CancellationToken cancellation)
        where TAnswer : class =>
        SendAsync(new HttpRequestMessage(method, path) { Content = JsonContent.Create(body, bodyType) }, type, cancellation);

    /// <summary>DELETE whose answer says what is left.</summary>
    public Task<TAnswer> DeleteAsync<TAnswer>(string path, JsonTypeInfo<TAnswer> type, CancellationToken cancellation) where TAnswer : class =>
        SendAsync(new HttpRequestMessage(HttpMethod.Delete, path), type, cancellation);

    /// <summary>DELETE whose answer says nothing.</summary>
    public Task DeleteAsync(string path, CancellationToken cancellation) =>
        SendAsync(new HttpRequestMessage(HttpMethod.Delete, path), cancellation);

    /// <summary>GET of a file, which has its name only once it is complete.</summary>
    /// <exception cref="CliException">Refused, cut off, or it cannot be written.</exception>
    public async Task SaveAsync(string path, string file, CancellationToken cancellation)
    {
        Download.CheckTarget(file);
        await SendAsync(
            new HttpRequestMessage(HttpMethod.Get, path), response => Download.WriteAsync(file, target => response.Content.CopyToAsync(target, cancellation)), cancellation,
            HttpCompletionOption.ResponseHeadersRead);
    }

    /// <summary>Every row of a list, page after page, up to <paramref name="limit"/> rows.</summary>
    public async IAsyncEnumerable<T> ListAsync<T>(
        string path, JsonTypeInfo<Page<T>> type, int limit, [EnumeratorCancellation] CancellationToken cancellation)
    {
        var separator = path.Contains('?') ? '&' : '?';
        string? cursor = null;
        do
        {
            var page = await GetAsync(cursor is null ? path : $"{path}{separator}cursor={Uri.EscapeDataString(cursor)}", type, cancellation);
            foreach (var item in page.Items)
            {
                if (limit-- <= 0)
                    yield break;
                yield return item;
            }
            cursor = page.NextCursor;
        }
        while (cursor is not null);
    }

    /// <inheritdoc/>
    public void Dispose() => _http.Dispose();

    private async Task<T> SendAsync<T>(HttpRequestMessage request, JsonTypeInfo<T> type, CancellationToken cancellation) where T : class
    {
        T? answer = null;
        await SendAsync(request, async response =>
            answer = await response.Content.ReadFromJsonAsync(type, cancellation) ?? throw NotTheApi(response, null), cancellation);
        return answer!;
    }

    private Task SendAsync(HttpRequestMessage request, CancellationToken cancellation) =>
        SendAsync(request, _ => Task.CompletedTask, cancellation);

    private async Task SendAsync(
        HttpRequestMessage request, Func<HttpResponseMessage, Task> read, CancellationToken cancellation,
        HttpCompletionOption completion = HttpCompletionOption.ResponseContentRead)
    {
        try
        {
            using (request)
            using (var response = await _http.SendAsync(request, completion, cancellation))
            {
                if (!response.IsSuccessStatusCode)
                    throw await RefusalAsync(response, cancellation);
                await read(response);
            }
        }
        catch (HttpRequestException e)
        {
            throw new CliException($"{_url} cannot be reached ({e.Message}): is the control plane running there?", ExitCodes.Unreachable, e);
        }
        catch (TaskCanceledException e) when (!cancellation.IsCancellationRequested)
        {
            throw new CliException($"{_url} did not answer within {_http.Timeout.TotalSeconds:0} s.", ExitCodes.Unreachable, e);
        }
        catch (JsonException e)
        {
            throw new CliException($"{_url} answered with something that this version does not understand: {e.Message}", inner: e);
        }
    }

    private async Task<CliException> RefusalAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        var detail = await DetailAsync(response, cancellation);
        return response.StatusCode switch
        {
            HttpStatusCode.Unauthorized when _http.DefaultRequestHeaders.Authorization is null =>
                new CliException(detail ?? "User or password is wrong.", ExitCodes.Access),
            HttpStatusCode.Unauthorized =>
                new CliException($"{_url} does not know this key any more: run edgecloud login {_url}", ExitCodes.Access),
            // A login is forbidden only to whoever works with a password that somebody else chose.
            HttpStatusCode.Forbidden when _http.DefaultRequestHeaders.Authorization is null =>
                new CliException(detail ?? "The password has to be replaced first.", ExitCodes.Access) { IsPasswordToBeReplaced = true },
            HttpStatusCode.Forbidden => new CliException(detail ?? "Your role does not allow this; ask an administrator.", ExitCodes.Access),
            _ when detail is not null => new CliException(detail),
            _ => NotTheApi(response, null),
        };
    }

    private CliException NotTheApi(HttpResponseMessage response, Exception? inner) =>
        new($"{_url} answered {(int)response.StatusCode} {response.ReasonPhrase} and nothing of EdgeCloud's API: is the address right?", inner: inner);

    // Problem details (RFC 9457): the detail, else the title.
    private static async Task<string?> DetailAsync(HttpResponseMessage response, CancellationToken cancellation)
    {
        if (response.Content.Headers.ContentType?.MediaType is not ("application/problem+json" or "application/json"))
            return null;
        try
        {
            using var document = await JsonDocument.ParseAsync(await response.Content.ReadAsStreamAsync(cancellation), default, cancellation);
            return Text(document, "detail") ?? Text(document, "title");
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static string? Text(JsonDocument document, string name) =>
        document.RootElement.ValueKind == JsonValueKind.Object && document.RootElement.TryGetProperty(name, out var value)
        && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
