namespace EdgeCloud.Agent.Wal;

/// <summary>
/// The chunks of one log and the memory they may take. Chunks for messages that are larger than usual are made to measure (powers of two) and
/// kept for reuse as long as there is room. Used under the log's gate only.
/// </summary>
internal sealed class ChunkPool(int usualBytes, long memoryBytes) : IDisposable
{
    private readonly List<MessageChunk> _free = []; // a stack: the memory used last is used next
    private long _freeBytes;

    /// <summary>Memory of the chunks that are in use, bytes.</summary>
    public long UsedBytes { get; private set; }

    /// <summary>All memory that may be in use, bytes.</summary>
    public long LimitBytes => memoryBytes;

    /// <summary>Memory that a chunk with room for at least so much takes, bytes.</summary>
    public long CapacityFor(long leastBytes) =>
        leastBytes <= usualBytes ? usualBytes : (long)System.Numerics.BitOperations.RoundUpToPowerOf2((ulong)leastBytes);

    /// <summary>A chunk with room for at least <paramref name="leastBytes"/>; null when the memory is used up.</summary>
    /// <param name="leastBytes">What must fit.</param>
    /// <param name="limitBytes">How much memory may be in use then: less than all of it for what is dropped first.</param>
    public MessageChunk? Rent(long leastBytes, long limitBytes)
    {
        var capacity = CapacityFor(leastBytes);
        // When nothing is in use there is nothing to wait for: the largest message must find room.
        if (UsedBytes + capacity > limitBytes && UsedBytes > 0) return null;
        for (var i = _free.Count - 1; i >= 0; i--)
        {
            if (_free[i].Capacity < capacity || _free[i].Capacity > 2 * capacity) continue;
            var chunk = _free[i];
            _free.RemoveAt(i);
            _freeBytes -= chunk.Capacity;
            UsedBytes += chunk.Capacity;
            return chunk;
        }

        Trim(capacity);
        var made = new MessageChunk((int)capacity) { IsPooled = true };
        UsedBytes += made.Capacity;
        return made;
    }

    /// <summary>Takes a chunk back.</summary>
    public void Return(MessageChunk chunk)
    {
        UsedBytes -= chunk.Capacity;
        _free.Add(chunk);
        _freeBytes += chunk.Capacity;
        Trim(0);
    }

    /// <summary>Gives memory back to the system, that of the chunks not used for longest first, until there is room for more.</summary>
    private void Trim(long wantedBytes)
    {
        while (_free.Count > 0 && UsedBytes + _freeBytes + wantedBytes > memoryBytes)
        {
            _freeBytes -= _free[0].Capacity;
            _free[0].Dispose();
            _free.RemoveAt(0);
        }
    }

    public void Dispose()
    {
        foreach (var chunk in _free) chunk.Dispose();
        _free.Clear();
        _freeBytes = 0;
    }
}
