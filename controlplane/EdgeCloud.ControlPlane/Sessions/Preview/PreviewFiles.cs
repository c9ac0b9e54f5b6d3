using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Exports;
using EdgeCloud.Export;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>An MCAP object in the bucket: the segment itself, or its excerpt.</summary>
internal sealed record PreviewFile(Guid Session, int Sequence, string Key, long Bytes, string ETag)
{
    /// <summary>The object of the segment that <paramref name="manifest"/> describes.</summary>
    public static PreviewFile Of(SegmentManifest manifest) =>
        new(manifest.Session, manifest.Sequence, manifest.ObjectKey, manifest.Bytes, manifest.ETag);
}

/// <summary>
/// Opens MCAP objects for previews. The summaries of the files that were used last are kept, so that scrubbing costs one request per
/// moment; a file whose summary is not among them costs one or two more.
/// </summary>
internal sealed class PreviewFiles(Bucket bucket, TimeProvider clock)
{
    /// <summary>Files whose summary is kept. One takes some ten to hundred KiB.</summary>
    private const int FilesKept = 128;
    /// <summary>A larger object is not looked at: its summary alone might not fit into memory. Agents rotate at 64 MiB.</summary>
    private const long FileBytesMax = 2L << 30;
    private const int RequestBytes = 4 << 20;

    private static readonly McapIndexedReaderOptions Options = new() { ChunkBytesMax = 256 << 20, OpenBytesMax = 64 << 20 };

    private readonly Dictionary<(string Key, string ETag), LinkedListNode<Entry>> _entries = [];
    private readonly LinkedList<Entry> _byUse = new();

    private sealed record Entry((string Key, string ETag) Name, Task<McapIndexedReader> Opening);

    /// <summary>A reader of the file, shared with others and not to be disposed.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not give it.</exception>
    /// <exception cref="ExportException">The object is gone or was replaced.</exception>
    /// <exception cref="Mcap.McapException">It is not valid MCAP.</exception>
    public async Task<McapIndexedReader> OpenAsync(PreviewFile file, CancellationToken cancellation)
    {
        if (file.Bytes > FileBytesMax)
            throw new ExportException($"Segment {file.Session:D}/{file.Sequence} has {file.Bytes} bytes; previews read files up to {FileBytesMax}.");
        var name = (file.Key, file.ETag);
        Task<McapIndexedReader> opening;
        lock (_byUse)
        {
            if (_entries.TryGetValue(name, out var known) && !known.Value.Opening.IsFaulted && !known.Value.Opening.IsCanceled)
            {
                _byUse.Remove(known);
                _byUse.AddFirst(known);
                opening = known.Value.Opening;
            }
            else
            {
                if (known is not null)
                    _byUse.Remove(known);
                // Not cancelled with the one who asks: somebody else may wait for the same file.
                opening = OpenNewAsync(file);
                _entries[name] = _byUse.AddFirst(new Entry(name, opening));
                for (; _byUse.Count > FilesKept; _byUse.RemoveLast())
                    _entries.Remove(_byUse.Last!.Value.Name);
            }
        }
        return await opening.WaitAsync(cancellation);
    }

    /// <summary>Bytes of a file, for a reader of its own.</summary>
    public IByteSource Source(PreviewFile file) => new MeteredSource(
        new S3ByteSource(bucket, new PlannedSegment(file.Session, file.Sequence, file.Key, file.Bytes, "", file.ETag, 0, 0), clock));

    private async Task<McapIndexedReader> OpenNewAsync(PreviewFile file) =>
        await McapIndexedReader.OpenAsync(Source(file), Options);

    /// <summary>Asks S3 for ranges of a size that is worth a request, and counts them.</summary>
    private sealed class MeteredSource(IByteSource inner) : IByteSource
    {
        public long Length => inner.Length;
        public string Name => inner.Name;
        int IByteSource.RequestBytes => RequestBytes;

        public ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default)
        {
            ReadMeter.Current?.Add(target.Length);
            return inner.ReadAsync(offset, target, cancellationToken);
        }

        public ValueTask DisposeAsync() => inner.DisposeAsync();
    }
}

/// <summary>Counts what one request for a preview reads from S3, wherever on its way that happens.</summary>
internal sealed class ReadMeter
{
    private static readonly AsyncLocal<ReadMeter?> Flow = new();
    private readonly TimeProvider _clock;
    private readonly long _begun;
    private long _requests;
    private long _bytes;

    private ReadMeter(TimeProvider clock) => (_clock, _begun) = (clock, clock.GetTimestamp());

    /// <summary>The meter of the request at hand; null outside of any.</summary>
    public static ReadMeter? Current => Flow.Value;

    /// <summary>Counts from here on for everything that the caller starts.</summary>
    public static ReadMeter Begin(TimeProvider clock) => Flow.Value = new ReadMeter(clock);

    /// <summary>Notes a request.</summary>
    public void Add(int bytes)
    {
        Interlocked.Increment(ref _requests);
        Interlocked.Add(ref _bytes, bytes);
    }

    /// <summary>What was counted so far.</summary>
    public Contracts.Api.ReadCost Cost =>
        new(Interlocked.Read(ref _requests), Interlocked.Read(ref _bytes), (long)_clock.GetElapsedTime(_begun).TotalMilliseconds);
}
