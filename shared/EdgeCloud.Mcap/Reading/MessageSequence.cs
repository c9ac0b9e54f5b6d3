namespace EdgeCloud.Mcap.Reading;

/// <summary>Messages of one file, to be read with <c>await foreach</c>, as often as wanted.</summary>
public readonly struct MessageSequence : IAsyncEnumerable<Message>
{
    private readonly McapIndexedReader _reader;
    private readonly McapReadOptions _options;

    internal MessageSequence(McapIndexedReader reader, McapReadOptions options)
    {
        _reader = reader;
        _options = options;
    }

    /// <summary>A cursor before the first message.</summary>
    public MessageCursor GetAsyncEnumerator(CancellationToken cancellationToken = default) => new(_reader, _options, cancellationToken);

    IAsyncEnumerator<Message> IAsyncEnumerable<Message>.GetAsyncEnumerator(CancellationToken cancellationToken) =>
        GetAsyncEnumerator(cancellationToken);
}
