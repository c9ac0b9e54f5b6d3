using Microsoft.Win32.SafeHandles;

namespace EdgeCloud.Mcap.Reading;

/// <summary>
/// A local file. Reads are made on the calling thread and complete at once: from the page cache that is far cheaper than a
/// round trip through the thread pool.
/// </summary>
public sealed class FileByteSource : IByteSource
{
    private readonly SafeFileHandle _file;

    /// <summary>Opens <paramref name="path"/>, which others may go on writing.</summary>
    public FileByteSource(string path)
    {
        Name = path;
        _file = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        Length = RandomAccess.GetLength(_file);
    }

    /// <inheritdoc/>
    public long Length { get; }

    /// <inheritdoc/>
    public string Name { get; }

    /// <inheritdoc/>
    public ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        var rest = target.Span;
        while (!rest.IsEmpty)
        {
            var read = RandomAccess.Read(_file, rest, offset);
            if (read == 0)
                throw new EndOfStreamException($"{Name} ends at byte {offset}, {rest.Length} bytes before the end of a read.");
            rest = rest[read..];
            offset += read;
        }
        return default;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync()
    {
        _file.Dispose();
        return default;
    }
}
