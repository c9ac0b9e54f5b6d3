using System.Collections.Concurrent;
using System.Net;

namespace EdgeCloud.Testing;

/// <summary>
/// Stands before an S3 server and answers questions about objects (HEAD) as one does whose ETags are no MD5s, such as AWS with keys of its own
/// (SSE-KMS); with checksums, if wanted, of objects that came in one request with theirs.
/// </summary>
public sealed class ForeignETags : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly HttpClient _server = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false });
    private readonly ConcurrentDictionary<string, string> _checksums = new(StringComparer.Ordinal);
    private readonly string _target;
    private readonly bool _withChecksums;
    private readonly Task _answering;
    private int _reads;

    /// <param name="target">The server, such as <c>http://127.0.0.1:7480</c>.</param>
    /// <param name="withChecksums">Whether it tells the SHA-256 with which an object came.</param>
    public ForeignETags(string target, bool withChecksums)
    {
        _target = target.TrimEnd('/');
        _withChecksums = withChecksums;
        Endpoint = $"http://127.0.0.1:{FreePort.Next()}";
        _listener.Prefixes.Add(Endpoint + "/");
        _listener.Start();
        _answering = AcceptAsync();
    }

    /// <summary>Where it listens.</summary>
    public string Endpoint { get; }

    /// <summary>Objects that were read, so far.</summary>
    public int Reads => Volatile.Read(ref _reads);

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _answering;
        _server.Dispose();
    }

    private async Task AcceptAsync()
    {
        List<Task> answers = [];
        while (true)
        {
            try
            {
                answers.Add(AnswerAsync(await _listener.GetContextAsync()));
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                await Task.WhenAll(answers);
                return;
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context)
    {
        var (asked, response) = (context.Request, context.Response);
        var path = asked.Url!.AbsolutePath;
        using var request = new HttpRequestMessage(new HttpMethod(asked.HttpMethod), _target + asked.RawUrl);
        if (asked.HttpMethod is "PUT" or "POST") // an empty body, too, has headers that are signed
            request.Content = new StreamContent(asked.InputStream);
        foreach (var name in asked.Headers.AllKeys)
        {
            if (!request.Headers.TryAddWithoutValidation(name!, asked.Headers[name]))
                request.Content?.Headers.TryAddWithoutValidation(name!, asked.Headers[name]);
        }
        // The server must not wait for a word that was given here.
        request.Headers.ExpectContinue = false;
        if (asked is { HttpMethod: "GET", QueryString.Count: 0 } or { HttpMethod: "GET", QueryString.AllKeys: ["x-id"] })
            Interlocked.Increment(ref _reads);
        if (_withChecksums && asked.Headers["x-amz-checksum-sha256"] is { } sent)
            _checksums[path] = sent;

        using var answer = await _server.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        response.StatusCode = (int)answer.StatusCode;
        foreach (var (name, values) in answer.Headers.Concat(answer.Content.Headers))
        {
            if (name is not ("Transfer-Encoding" or "Content-Length" or "Connection"))
                response.Headers[name] = string.Join(",", values);
        }
        if (asked.HttpMethod == "HEAD")
        {
            if (answer.IsSuccessStatusCode)
                response.Headers["ETag"] = "\"foreign-" + Guid.NewGuid().ToString("N") + "\"";
            if (_checksums.TryGetValue(path, out var checksum))
                response.Headers["x-amz-checksum-sha256"] = checksum;
            response.ContentLength64 = answer.Content.Headers.ContentLength ?? 0;
            response.Close();
            return;
        }
        if (answer.Content.Headers.ContentLength is { } length)
            response.ContentLength64 = length;
        await answer.Content.CopyToAsync(response.OutputStream);
        response.Close();
    }
}
