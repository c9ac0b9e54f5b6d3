using System.Net;
using System.Net.Http.Headers;

namespace EdgeCloud.Mcap.Reading;

/// <summary>
/// An object behind HTTP that honours ranges: any web server, or S3 by a presigned GET address. Opening asks for the object's end,
/// which holds a file's summary, and keeps it: a file with a small summary is opened with one request.
/// </summary>
public sealed class HttpByteSource : IByteSource
{
    private readonly HttpClient _client;
    private readonly Uri _address;
    private readonly EntityTagHeaderValue? _version;
    private readonly ReadOnlyMemory<byte> _tail;

    private HttpByteSource(HttpClient client, Uri address, long length, EntityTagHeaderValue? version, ReadOnlyMemory<byte> tail)
    {
        (_client, _address, Length, _version, _tail) = (client, address, length, version, tail);
        Name = address.GetLeftPart(UriPartial.Path); // a presigned query is a secret
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public int RequestBytes { get; init; } = 8 << 20;

    /// <summary>Number of requests made so far, that of opening included.</summary>
    public int RequestCount => _requestCount;

    private int _requestCount = 1;

    /// <summary>Asks for the object's size and its last bytes.</summary>
    /// <param name="client">Makes the requests; stays the caller's.</param>
    /// <param name="address">Where the object is.</param>
    /// <param name="tailBytes">How many of its last bytes to fetch at once.</param>
    /// <param name="cancellationToken">Ends the request.</param>
    /// <exception cref="HttpRequestException">The server refuses, or does not honour ranges.</exception>
    public static async ValueTask<HttpByteSource> OpenAsync(
        HttpClient client, Uri address, int tailBytes = 256 << 10, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address) { Headers = { Range = new(null, tailBytes) } };
        using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        var range = response.Content.Headers.ContentRange;
        var name = address.GetLeftPart(UriPartial.Path);
        if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
            throw new EndOfStreamException($"{name} is empty.");
        if (response.StatusCode != HttpStatusCode.PartialContent || range is not { Length: { } length, From: { } from, To: { } to })
            throw Refused(name, response);
        var tail = new byte[to + 1 - from];
        using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await body.ReadExactlyAsync(tail, cancellationToken).ConfigureAwait(false);
        return new HttpByteSource(client, address, length, response.Headers.ETag is { IsWeak: false } strong ? strong : null, tail);
    }

    /// <inheritdoc/>
    /// <exception cref="HttpRequestException">The server refuses, or the object has changed since it was opened.</exception>
    public async ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default)
    {
        if (offset < 0 || target.Length > Length - offset)
            throw new EndOfStreamException($"{Name} has {Length} bytes, fewer than a read of {target.Length} at {offset} needs.");
        if (target.IsEmpty || TryGetMemory(offset, target.Length, out var known))
        {
            TryGetMemory(offset, target.Length, out known);
            known.CopyTo(target);
            return;
        }
        Interlocked.Increment(ref _requestCount);
        using var request = new HttpRequestMessage(HttpMethod.Get, _address)
        {
            Headers = { Range = new(offset, offset + target.Length - 1) },
        };
        if (_version is not null)
            request.Headers.IfMatch.Add(_version);
        using var response = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken).ConfigureAwait(false);
        if (response.StatusCode == HttpStatusCode.PreconditionFailed)
            throw new HttpRequestException($"{Name} was replaced while it was read; open it anew.", null, response.StatusCode);
        if (response.StatusCode != HttpStatusCode.PartialContent || response.Content.Headers.ContentRange?.From != offset)
            throw Refused(Name, response);
        using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await body.ReadExactlyAsync(target, cancellationToken).ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public bool TryGetMemory(long offset, int length, out ReadOnlyMemory<byte> bytes)
    {
        var inTail = offset - (Length - _tail.Length);
        var known = inTail >= 0 && length <= _tail.Length - inTail;
        bytes = known ? _tail.Slice((int)inTail, length) : default;
        return known;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => default;

    private static HttpRequestException Refused(string name, HttpResponseMessage response) =>
        new(
            response.IsSuccessStatusCode
                ? $"{name}: the server answers {(int)response.StatusCode} to a range request; a server that honours ranges (206) is needed."
                : $"{name}: the server answers {(int)response.StatusCode} {response.ReasonPhrase}.",
            null, response.StatusCode);
}
