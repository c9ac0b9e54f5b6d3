using System.Net;
using System.Net.Sockets;
using System.Text;

namespace EdgeCloud.Cli.Tests;

/// <summary>An answer at the wire.</summary>
/// <param name="Body">Body; <c>{url}</c> in it stands for the server's own address.</param>
/// <param name="Status">Code and reason.</param>
/// <param name="Type">Content type.</param>
/// <param name="Length">The length that is announced; null for the true one.</param>
internal sealed record ScriptedAnswer(string Body, string Status, string Type, int? Length = null)
{
    public byte[] Bytes(string url)
    {
        var body = Body.Replace("{url}", url);
        var length = Length ?? Encoding.UTF8.GetByteCount(body);
        return Encoding.UTF8.GetBytes(
            $"HTTP/1.1 {Status}\r\nContent-Type: {Type}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}");
    }
}

/// <summary>
/// Speaks HTTP at the wire just as it is told, so that also a server that misbehaves can be met: each request is answered with the next
/// of the given bytes, then the connection is closed; after the last answer nobody listens any more.
/// </summary>
internal sealed class ScriptedServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Task _loop;
    private readonly List<string> _requests = [];

    public ScriptedServer(params ScriptedAnswer[] answers)
    {
        _listener.Start();
        Url = $"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}";
        _loop = ServeAsync(answers);
    }

    public string Url { get; }

    /// <summary>The requests so far, head and body.</summary>
    public IReadOnlyList<string> Requests
    {
        get
        {
            lock (_requests)
                return [.. _requests];
        }
    }

    public static ScriptedAnswer Json(string body, string status = "200 OK") => new(body, status, "application/json");

    public static ScriptedAnswer Problem(string status, string detail) =>
        new($$"""{"title":"Refused","detail":"{{detail}}"}""", status, "application/problem+json");

    public async ValueTask DisposeAsync()
    {
        _listener.Stop();
        await _loop;
    }

    private async Task ServeAsync(ScriptedAnswer[] answers)
    {
        foreach (var answer in answers)
        {
            try
            {
                using var client = await _listener.AcceptTcpClientAsync();
                await using var stream = client.GetStream();
                var request = await ReadRequestAsync(stream);
                lock (_requests)
                    _requests.Add(request);
                await stream.WriteAsync(answer.Bytes(Url));
            }
            catch (Exception e) when (e is SocketException or ObjectDisposedException or IOException)
            {
                return; // Stopped, or the client left.
            }
        }
        _listener.Stop();
    }

    private static async Task<string> ReadRequestAsync(NetworkStream stream)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        while (true)
        {
            var n = await stream.ReadAsync(buffer);
            text.Append(Encoding.UTF8.GetString(buffer, 0, n));
            var request = text.ToString();
            var head = request.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (n == 0 || (head >= 0 && IsWhole(request[..head], request[(head + 4)..])))
                return request;
        }
    }

    // The client sends its small JSON bodies chunked or with a length; a chunked one ends with an empty chunk.
    private static bool IsWhole(string head, string body)
    {
        if (head.Contains("Transfer-Encoding: chunked", StringComparison.OrdinalIgnoreCase))
            return body.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
        var line = head.Split("\r\n").FirstOrDefault(l => l.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
        return line is null || body.Length >= int.Parse(line["Content-Length:".Length..]);
    }
}
