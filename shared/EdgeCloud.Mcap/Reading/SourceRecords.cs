namespace EdgeCloud.Mcap.Reading;

/// <summary>Feeds a source from its first byte on to a parser.</summary>
internal sealed class SourceRecords(IByteSource source, RecordParserOptions options) : IDisposable
{
    private const int ReadBytes = 1 << 20;

    private readonly RecordParser _parser = new(options);
    private long _fed;

    /// <summary>The next record, valid until the call after; null at the file's end.</summary>
    public async ValueTask<McapRecord?> NextAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            switch (_parser.Read(out var record))
            {
                case ParseResult.Record:
                    return record;
                case ParseResult.End when _fed == source.Length:
                    return null;
                default:
                    await FeedAsync(cancellationToken).ConfigureAwait(false);
                    break;
            }
        }
    }

    public void Dispose() => _parser.Dispose();

    private async ValueTask FeedAsync(CancellationToken cancellationToken)
    {
        var bytes = (int)Math.Min(source.Length - _fed, Math.Max(ReadBytes, _parser.WantedBytes));
        if (bytes == 0)
        {
            _parser.Complete();
            return;
        }
        await source.ReadAsync(_fed, _parser.GetMemory(bytes)[..bytes], cancellationToken).ConfigureAwait(false);
        _parser.Advance(bytes);
        _fed += bytes;
    }
}
