using System.Buffers.Text;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace EdgeCloud.ControlPlane;

/// <summary>
/// Gives every JSON answer to a GET an ETag, the hash of what it says unless the endpoint set its version, and answers 304 without a
/// body to whoever already has it (<c>If-None-Match</c>).
/// </summary>
internal sealed class EntityTags(RequestDelegate next)
{
    public async Task InvokeAsync(HttpContext context)
    {
        if (!HttpMethods.IsGet(context.Request.Method))
        {
            await next(context);
            return;
        }
        var client = context.Response.Body;
        await using var body = new JsonBody(context.Response, client);
        context.Response.Body = body;
        try
        {
            await next(context);
        }
        finally
        {
            context.Response.Body = client;
        }
        if (body.Kept is { } json)
            await AnswerAsync(context, json);
    }

    private static async Task AnswerAsync(HttpContext context, MemoryStream json)
    {
        var headers = context.Response.Headers;
        if (headers.ETag.Count == 0)
            headers.ETag = $"\"{Base64Url.EncodeToString(SHA256.HashData(json.GetBuffer().AsSpan(0, (int)json.Length)).AsSpan(0, 16))}\"";
        if (headers.CacheControl.Count == 0)
            headers.CacheControl = "private, no-cache";
        var mine = EntityTagHeaderValue.Parse(headers.ETag.ToString());
        if (context.Request.GetTypedHeaders().IfNoneMatch.Any(t => t.Equals(EntityTagHeaderValue.Any) || t.Compare(mine, useStrongComparison: false)))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            context.Response.ContentType = null;
            context.Response.ContentLength = null;
            return;
        }
        context.Response.ContentLength = json.Length;
        json.Position = 0;
        await json.CopyToAsync(context.Response.Body, context.RequestAborted);
    }

    /// <summary>Keeps what is written when it is JSON and a success; anything else goes straight to the client.</summary>
    private sealed class JsonBody(HttpResponse response, Stream client) : Stream
    {
        private bool? _keeps;

        public MemoryStream? Kept { get; private set; }

        public override bool CanRead => false;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override void Write(byte[] buffer, int offset, int count) => Target().Write(buffer, offset, count);

        public override Task WriteAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            Target().WriteAsync(buffer, offset, count, cancellationToken);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            Target().WriteAsync(buffer, cancellationToken);

        public override void Flush() => Target().Flush();

        public override Task FlushAsync(CancellationToken cancellationToken) => Target().FlushAsync(cancellationToken);

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        private Stream Target()
        {
            _keeps ??= response is { StatusCode: StatusCodes.Status200OK, ContentType: { } type }
                && type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase);
            return _keeps.Value ? Kept ??= new MemoryStream() : client;
        }
    }
}
