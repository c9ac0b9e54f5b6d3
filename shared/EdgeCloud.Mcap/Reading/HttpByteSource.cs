using System.Globalization;
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
    /// <exception cref="HttpRequestException">The server cannot be reached, refuses, or does not honour ranges.</exception>
    public static async ValueTask<HttpByteSource> OpenAsync(
        HttpClient client, Uri address, int tailBytes = 256 << 10, CancellationToken cancellationToken = default)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, address) { Headers = { Range = new(null, tailBytes) } };
        var name = address.GetLeftPart(UriPartial.Path);
        HttpByteSource? source = null;
        await AskAsync(client, name, request, async (response, stop) =>
        {
            var range = response.Content.Headers.ContentRange;
            if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
                throw new EndOfStreamException($"{name} is empty.");
            if (response.StatusCode != HttpStatusCode.PartialContent || range is not { Length: { } length, From: { } from, To: { } to })
                throw Refused(name, response);
            var tail = new byte[to + 1 - from];
            await ReadBodyAsync(response, tail, stop).ConfigureAwait(false);
            source = new HttpByteSource(client, address, length, response.Headers.ETag is { IsWeak: false } strong ? strong : null, tail);
        }, cancellationToken).ConfigureAwait(false);
        return source!;
    }

    /// <inheritdoc/>
    /// <exception cref="HttpRequestException">The server cannot be reached or refuses, or the object has changed since it was opened.</exception>
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
        await AskAsync(_client, Name, request, (response, stop) =>
        {
            if (response.StatusCode == HttpStatusCode.PreconditionFailed)
                throw new HttpRequestException($"{Name} was replaced while it was read; open it anew.", null, response.StatusCode);
            if (response.StatusCode != HttpStatusCode.PartialContent || response.Content.Headers.ContentRange?.From != offset)
                throw Refused(Name, response);
            return ReadBodyAsync(response, target, stop);
        }, cancellationToken).ConfigureAwait(false);
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

    /// <summary>Makes a request and takes its answer, both within the client's timeout; whatever goes wrong names the object.</summary>
    private static async ValueTask AskAsync(
        HttpClient client, string name, HttpRequestMessage request, Func<HttpResponseMessage, CancellationToken, ValueTask> take,
        CancellationToken cancellationToken)
    {
        using var deadline = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        deadline.CancelAfter(client.Timeout);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token).ConfigureAwait(false);
            await take(response, deadline.Token).ConfigureAwait(false);
        }
        catch (HttpRequestException e) when (e.StatusCode is null)
        {
            throw new HttpRequestException($"{name} cannot be reached ({e.Message}).", e);
        }
        catch (HttpIOException e)
        {
            throw new HttpRequestException($"{name} broke its answer off ({e.Message}).", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new HttpRequestException(string.Create(CultureInfo.InvariantCulture, $"{name} did not answer within {client.Timeout.TotalSeconds} s."), e);
        }
    }

    private static async ValueTask ReadBodyAsync(HttpResponseMessage response, Memory<byte> target, CancellationToken cancellationToken)
    {
        using var body = await response.Content.ReadAsStreamAsync(cancellationToken).ConfigureAwait(false);
        await body.ReadExactlyAsync(target, cancellationToken).ConfigureAwait(false);
    }

    private static HttpRequestException Refused(string name, HttpResponseMessage response) =>
        new(
            response.IsSuccessStatusCode
                ? $"{name}: the server answers {(int)response.StatusCode} to a range request; a server that honours ranges (206) is needed."
                : $"{name}: the server answers {(int)response.StatusCode} {response.ReasonPhrase}.",
            null, response.StatusCode);
}
