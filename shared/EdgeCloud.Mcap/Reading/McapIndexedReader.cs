using System.Buffers.Binary;

namespace EdgeCloud.Mcap.Reading;

/// <summary>
/// Reads a file by its index: messages of a time range and of some topics, in log-time order, its reverse or file order; attachments and
/// metadata by name. Reads of several cursors may run side by side where the source allows it.
/// </summary>
public sealed class McapIndexedReader : IAsyncDisposable
{
    private readonly IByteSource _source;
    private readonly bool _leaveOpen;

    private McapIndexedReader(IByteSource source, McapSummary summary, McapIndexedReaderOptions options, bool leaveOpen)
    {
        _source = source;
        _leaveOpen = leaveOpen;
        Summary = summary;
        Options = options;
    }

    /// <summary>What the file holds.</summary>
    public McapSummary Summary { get; }

    /// <summary>Schemas by id.</summary>
    public IReadOnlyDictionary<ushort, Schema> Schemas => Summary.Schemas;

    /// <summary>Channels by id.</summary>
    public IReadOnlyDictionary<ushort, Channel> Channels => Summary.Channels;

    /// <summary>The bytes read from.</summary>
    public IByteSource Source => _source;

    internal McapIndexedReaderOptions Options { get; }

    /// <summary>Opens a file by reading its summary.</summary>
    /// <param name="source">The file. Disposed with the reader unless <paramref name="leaveOpen"/>.</param>
    /// <param name="options">What to check, how much memory to take.</param>
    /// <param name="leaveOpen">Whether the source outlives the reader.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    /// <exception cref="McapTruncatedException">The file has no footer: its recorder was interrupted.</exception>
    /// <exception cref="McapException">The file is not valid.</exception>
    public static async ValueTask<McapIndexedReader> OpenAsync(
        IByteSource source, McapIndexedReaderOptions? options = null, bool leaveOpen = false, CancellationToken cancellationToken = default)
    {
        options ??= McapIndexedReaderOptions.Default;
        try
        {
            var summary = await SummaryReader.ReadAsync(source, options, cancellationToken).ConfigureAwait(false);
            return new McapIndexedReader(source, summary, options, leaveOpen);
        }
        catch (McapException e)
        {
            e.SourceName ??= source.Name;
            throw;
        }
    }

    /// <summary>Opens a local file.</summary>
    public static async ValueTask<McapIndexedReader> OpenAsync(
        string path, McapIndexedReaderOptions? options = null, CancellationToken cancellationToken = default)
    {
        var source = new FileByteSource(path);
        try
        {
            return await OpenAsync(source, options, leaveOpen: false, cancellationToken).ConfigureAwait(false);
        }
        catch
        {
            await source.DisposeAsync().ConfigureAwait(false);
            throw;
        }
    }

    /// <summary>The messages that <paramref name="options"/> select. Each is valid until the next; copy its data to keep it.</summary>
    public MessageSequence ReadMessages(McapReadOptions? options = null) => new(this, options ?? McapReadOptions.All);

    /// <summary>Reads the file's first record.</summary>
    public async ValueTask<Header> ReadHeaderAsync(CancellationToken cancellationToken = default)
    {
        var start = new byte[8 + McapFormat.RecordPrefixBytes];
        await _source.ReadAsync(0, start, cancellationToken).ConfigureAwait(false);
        if (!start.AsSpan(0, 8).SequenceEqual(McapFormat.Magic))
        {
            throw new McapException("leading magic", new(0), Convert.ToHexString(McapFormat.Magic), Convert.ToHexString(start, 0, 8))
            {
                SourceName = _source.Name,
            };
        }
        var length = BinaryPrimitives.ReadUInt64LittleEndian(start.AsSpan(9));
        var whole = length > McapFormat.RecordBytesLimit ? ulong.MaxValue : length + McapFormat.RecordPrefixBytes;
        return await ReadRecordAsync(8, whole, Opcode.Header, static record => record.ToHeader(), cancellationToken).ConfigureAwait(false);
    }

    /// <summary>Reads the attachment that <paramref name="index"/> points to.</summary>
    public async ValueTask<Attachment> ReadAttachmentAsync(AttachmentIndex index, CancellationToken cancellationToken = default)
    {
        return await ReadRecordAsync(index.Offset, index.Length, Opcode.Attachment, static record => record.ToAttachment(), cancellationToken)
            .ConfigureAwait(false);
    }

    /// <summary>Reads the metadata record that <paramref name="index"/> points to.</summary>
    public async ValueTask<Metadata> ReadMetadataAsync(MetadataIndex index, CancellationToken cancellationToken = default)
    {
        return await ReadRecordAsync(index.Offset, index.Length, Opcode.Metadata, static record => record.ToMetadata(), cancellationToken)
            .ConfigureAwait(false);
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _leaveOpen ? default : _source.DisposeAsync();

    /// <summary>Reads the record that an index points to, checking that one of that kind and length lies there.</summary>
    private async ValueTask<T> ReadRecordAsync<T>(
        ulong offset, ulong length, Opcode opcode, Func<McapRecord, T> decode, CancellationToken cancellationToken)
    {
        var position = new RecordPosition((long)Math.Min(offset, long.MaxValue));
        var name = McapRecord.NameOf(opcode);
        try
        {
            if (offset > (ulong)_source.Length || length > (ulong)_source.Length - offset || length < McapFormat.RecordPrefixBytes)
                throw new McapException(name, position, $"a record of {length} bytes", $"a file of {_source.Length}");
            if (length > McapFormat.RecordBytesLimit)
                throw new McapException(name, position, $"at most {McapFormat.RecordBytesLimit} bytes", $"{length}");
            var bytes = new byte[length];
            await _source.ReadAsync((long)offset, bytes, cancellationToken).ConfigureAwait(false);
            var found = (Opcode)bytes[0];
            var content = BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(1));
            if (found != opcode || content != length - McapFormat.RecordPrefixBytes)
            {
                throw new McapException(
                    name, position, $"{name} of {length - McapFormat.RecordPrefixBytes} bytes", $"{McapRecord.NameOf(found)} of {content} bytes");
            }
            return decode(new McapRecord(opcode, bytes.AsMemory(McapFormat.RecordPrefixBytes), position));
        }
        catch (McapException e)
        {
            e.SourceName = _source.Name;
            throw;
        }
    }
}
