using System.Collections.Concurrent;
using System.Net;
using System.Text;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Upload;

/// <summary>Says yes to whatever is put, and lets a test act between the request and the answer.</summary>
internal sealed class StubStore : IAsyncDisposable
{
    private readonly HttpListener _listener = new();
    private readonly Task _answering;

    public StubStore()
    {
        Endpoint = $"http://127.0.0.1:{FreePort.ToComeBackTo()}";
        _listener.Prefixes.Add(Endpoint + "/");
        _listener.Start();
        _answering = AnswerAsync();
    }

    public string Endpoint { get; }

    /// <summary>Told of the path and the body of what is put, before it is answered.</summary>
    public Action<string, byte[]> Received { get; set; } = (_, _) => { };

    /// <summary>What was put, in order.</summary>
    public ConcurrentQueue<byte[]> Bodies { get; } = [];

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _answering;
    }

    private async Task AnswerAsync()
    {
        while (true)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                return;
            }
            using var body = new MemoryStream();
            await context.Request.InputStream.CopyToAsync(body);
            if (context.Request.HttpMethod == "PUT")
            {
                Bodies.Enqueue(body.ToArray());
                Received(context.Request.Url!.AbsolutePath, body.ToArray());
                context.Response.Headers["ETag"] = "\"0\"";
            }
            else
            {
                context.Response.ContentType = "application/xml";
                await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes("<ListMultipartUploadsResult><IsTruncated>false</IsTruncated></ListMultipartUploadsResult>"));
            }
            context.Response.Close();
        }
    }
}
