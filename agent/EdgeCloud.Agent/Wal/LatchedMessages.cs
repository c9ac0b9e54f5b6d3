namespace EdgeCloud.Agent.Wal;

/// <summary>
/// The latest durable message of each latched channel, to be repeated at the start of the next segment. Filled from the chunks in the order in
/// which they are committed, so that a repeat is exactly what was known when its segment began, and by <see cref="Prime"/> with what was said
/// when nothing was recorded. Any thread may call.
/// </summary>
internal sealed class LatchedMessages
{
    private readonly Lock _lock = new();
    private readonly SortedDictionary<ushort, Kept> _latest = [];

    /// <summary>True when there is nothing to repeat.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_lock) return _latest.Count == 0;
        }
    }

    /// <summary>Keeps a message that the log never took.</summary>
    public void Prime(ChannelHandle channel, uint sequence, ulong publishTime, ReadOnlySpan<byte> data)
    {
        lock (_lock) Keep(channel.RepeatId, sequence, publishTime, data);
    }

    /// <summary>Keeps the last message of each latched channel of an encoded chunk.</summary>
    public void Take(MessageChunk chunk, IReadOnlyList<ChannelHandle?> byId)
    {
        lock (_lock)
        {
            foreach (ref readonly var tally in chunk.Tallies)
            {
                if (byId[tally.Channel] is not { RepeatId: not 0 } channel) continue;
                var data = chunk.MessageAt(tally.LastRecord, out var sequence, out var publishTime);
                Keep(channel.RepeatId, sequence, publishTime, data);
            }
        }
    }

    /// <summary>A chunk of all repeats.</summary>
    /// <param name="segmentStart">Their log time.</param>
    /// <param name="channels">Number of channel ids in use.</param>
    public MessageChunk ToChunk(ulong segmentStart, int channels)
    {
        lock (_lock)
        {
            var bytes = _latest.Values.Sum(kept => MessageChunk.BytesFor(kept.Length, 0)) + MessageChunk.BytesFor(0, channels);
            var chunk = new MessageChunk(checked((int)bytes));
            chunk.Reset(channels);
            foreach (var (repeatId, kept) in _latest)
            {
                if (!chunk.TryAppend(repeatId, kept.Sequence, segmentStart, kept.PublishTime, kept.Data.AsSpan(0, kept.Length), TimeProvider.System))
                    throw new InvalidOperationException($"The repeats of {_latest.Count} latched messages do not fit {bytes} bytes.");
            }

            return chunk;
        }
    }

    private void Keep(ushort repeatId, uint sequence, ulong publishTime, ReadOnlySpan<byte> data)
    {
        if (!_latest.TryGetValue(repeatId, out var kept)) _latest.Add(repeatId, kept = new Kept());
        if (kept.Data.Length < data.Length) kept.Data = new byte[data.Length];
        data.CopyTo(kept.Data);
        (kept.Length, kept.Sequence, kept.PublishTime) = (data.Length, sequence, publishTime);
    }

    private sealed class Kept
    {
        public byte[] Data = [];
        public int Length;
        public uint Sequence;
        public ulong PublishTime;
    }
}
