namespace EdgeCloud.Mcap.Reading;

/// <summary>Bytes that can be read at any offset: a file, memory, an object behind HTTP. Safe for concurrent reads.</summary>
public interface IByteSource : IAsyncDisposable
{
    /// <summary>Number of bytes.</summary>
    long Length { get; }

    /// <summary>Names the source in error messages: a path or address.</summary>
    string Name { get; }

    /// <summary>
    /// How many bytes one request should ask for where requests are dear: ranges that lie near each other are then fetched together, up
    /// to this size. 0 where a request costs nothing, as on a local disk.
    /// </summary>
    int RequestBytes => 0;

    /// <summary>Fills <paramref name="target"/> from <paramref name="offset"/> on.</summary>
    /// <exception cref="EndOfStreamException">The source ends before that.</exception>
    ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default);

    /// <summary>The bytes themselves, where the source holds them in memory and so spares a copy.</summary>
    bool TryGetMemory(long offset, int length, out ReadOnlyMemory<byte> bytes)
    {
        bytes = default;
        return false;
    }
}
