namespace EdgeCloud.Mcap.Reading;

/// <summary>Bytes in memory; reads of uncompressed chunks copy nothing.</summary>
/// <param name="bytes">The file's bytes, which must not change.</param>
/// <param name="name">Names the source in error messages.</param>
public sealed class MemoryByteSource(ReadOnlyMemory<byte> bytes, string name = "memory") : IByteSource
{
    /// <inheritdoc/>
    public long Length => bytes.Length;

    /// <inheritdoc/>
    public string Name => name;

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default)
    {
        if (!TryGetMemory(offset, target.Length, out var found))
            throw new EndOfStreamException($"{Name} has {bytes.Length} bytes, fewer than a read of {target.Length} at {offset} needs.");
        found.CopyTo(target);
        return default;
    }

    /// <inheritdoc/>
    public bool TryGetMemory(long offset, int length, out ReadOnlyMemory<byte> found)
    {
        var inside = offset >= 0 && length >= 0 && offset <= bytes.Length - length;
        found = inside ? bytes.Slice((int)offset, length) : default;
        return inside;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => default;
}
