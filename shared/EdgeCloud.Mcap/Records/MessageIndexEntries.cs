using System.Buffers.Binary;
using System.Collections;

namespace EdgeCloud.Mcap;

/// <summary>Log time and offset of one message in a chunk.</summary>
/// <param name="LogTime">The message's log time, ns.</param>
/// <param name="Offset">Where the message record begins in the chunk's uncompressed records.</param>
public readonly record struct MessageIndexEntry(ulong LogTime, ulong Offset);

/// <summary>The entries of a message index, kept as their serialised bytes (16 each) and read in place.</summary>
public readonly struct MessageIndexEntries : IReadOnlyList<MessageIndexEntry>, IEquatable<MessageIndexEntries>
{
    internal const int EntryBytes = 8 + 8;

    private readonly ReadOnlyMemory<byte> _entries;

    internal MessageIndexEntries(ReadOnlyMemory<byte> entries) => _entries = entries;

    /// <summary>The given entries, in their order.</summary>
    public MessageIndexEntries(IReadOnlyCollection<MessageIndexEntry> entries)
    {
        var bytes = new byte[entries.Count * EntryBytes];
        var at = 0;
        foreach (var entry in entries)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at), entry.LogTime);
            BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(at + 8), entry.Offset);
            at += EntryBytes;
        }
        _entries = bytes;
    }

    /// <summary>Number of entries.</summary>
    public int Count => _entries.Length / EntryBytes;

    /// <summary>The entry at <paramref name="index"/>, in file order.</summary>
    public MessageIndexEntry this[int index]
    {
        get
        {
            var entry = _entries.Span.Slice(index * EntryBytes, EntryBytes);
            return new(BinaryPrimitives.ReadUInt64LittleEndian(entry), BinaryPrimitives.ReadUInt64LittleEndian(entry[8..]));
        }
    }

    internal ReadOnlySpan<byte> Bytes => _entries.Span;

    /// <inheritdoc/>
    public IEnumerator<MessageIndexEntry> GetEnumerator()
    {
        for (var i = 0; i < Count; i++)
            yield return this[i];
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <summary>True when both hold the same entries in the same order.</summary>
    public bool Equals(MessageIndexEntries other) => _entries.Span.SequenceEqual(other._entries.Span);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is MessageIndexEntries other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _entries.Length;

    /// <summary>True when both hold the same entries in the same order.</summary>
    public static bool operator ==(MessageIndexEntries left, MessageIndexEntries right) => left.Equals(right);

    /// <summary>True when they differ.</summary>
    public static bool operator !=(MessageIndexEntries left, MessageIndexEntries right) => !left.Equals(right);
}
