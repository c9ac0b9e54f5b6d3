using System.Net.Sockets;

namespace EdgeCloud.Testing.Containers;

/// <summary>The Docker engine of this machine.</summary>
internal static class DockerEngine
{
    /// <summary>
    /// Whether an engine answers on the socket that <c>DOCKER_HOST</c> names, by default <c>/var/run/docker.sock</c>, before the deadline.
    /// One on another machine does not count: the containers' ports are bound to 127.0.0.1.
    /// </summary>
    public static async Task<bool> AnswersAsync(TimeSpan deadline)
    {
        var host = Environment.GetEnvironmentVariable("DOCKER_HOST");
        var address = new Uri(string.IsNullOrEmpty(host) ? "unix:///var/run/docker.sock" : host);
        if (address.Scheme != "unix")
            return false;
        // Testcontainers would find out by itself, but waits for an engine that accepts and says nothing far longer than tests can.
        using var handler = new SocketsHttpHandler { ConnectCallback = (_, cancellation) => ConnectAsync(address.LocalPath, cancellation) };
        using var client = new HttpClient(handler) { Timeout = deadline };
        try
        {
            using var answer = await client.GetAsync(new Uri("http://docker/_ping"));
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException)
        {
            return false;
        }
    }

    private static async ValueTask<Stream> ConnectAsync(string path, CancellationToken cancellation)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(new UnixDomainSocketEndPoint(path), cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }
}
