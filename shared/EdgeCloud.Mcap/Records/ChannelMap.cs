using System.Buffers.Binary;
using System.Collections;

namespace EdgeCloud.Mcap;

/// <summary>
/// A <c>Map&lt;uint16, uint64&gt;</c> keyed by channel id, kept as the serialised bytes: a file's summary holds one per chunk,
/// so it costs no more than the summary itself. Order is that of the file.
/// </summary>
public readonly struct ChannelMap : IReadOnlyCollection<KeyValuePair<ushort, ulong>>, IEquatable<ChannelMap>
{
    internal const int EntryBytes = 2 + 8;

    private readonly ReadOnlyMemory<byte> _entries;

    internal ChannelMap(ReadOnlyMemory<byte> entries) => _entries = entries;

    /// <summary>A map of the given pairs, in their order.</summary>
    public ChannelMap(IReadOnlyCollection<KeyValuePair<ushort, ulong>> pairs)
    {
        var entries = new byte[pairs.Count * EntryBytes];
        var at = 0;
        foreach (var (channel, value) in pairs)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(entries.AsSpan(at), channel);
            BinaryPrimitives.WriteUInt64LittleEndian(entries.AsSpan(at + 2), value);
            at += EntryBytes;
        }
        _entries = entries;
    }

    /// <summary>Number of pairs.</summary>
    public int Count => _entries.Length / EntryBytes;

    /// <summary>The pair at <paramref name="index"/>, in file order.</summary>
    public KeyValuePair<ushort, ulong> this[int index]
    {
        get
        {
            var entry = _entries.Span.Slice(index * EntryBytes, EntryBytes);
            return new(BinaryPrimitives.ReadUInt16LittleEndian(entry), BinaryPrimitives.ReadUInt64LittleEndian(entry[2..]));
        }
    }

    internal ReadOnlySpan<byte> Bytes => _entries.Span;

    /// <summary>Finds the value of <paramref name="channelId"/>; of a repeated key the last counts.</summary>
    public bool TryGetValue(ushort channelId, out ulong value)
    {
        for (var i = Count - 1; i >= 0; i--)
        {
            var (key, found) = this[i];
            if (key == channelId)
            {
                value = found;
                return true;
            }
        }
        value = 0;
        return false;
    }

    /// <summary>True when the map has <paramref name="channelId"/>.</summary>
    public bool ContainsKey(ushort channelId) => TryGetValue(channelId, out _);

    /// <inheritdoc/>
    public IEnumerator<KeyValuePair<ushort, ulong>> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>True when both hold the same pairs in the same order.</summary>
    public bool Equals(ChannelMap other) => _entries.Span.SequenceEqual(other._entries.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is ChannelMap other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _entries.Length;

    /// <summary>True when both hold the same pairs in the same order.</summary>
    public static bool operator ==(ChannelMap left, ChannelMap right) => left.Equals(right);

    /// <summary>True when they differ.</summary>
    public static bool operator !=(ChannelMap left, ChannelMap right) => !left.Equals(right);
}
