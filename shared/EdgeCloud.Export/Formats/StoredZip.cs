using System.Buffers.Binary;
using System.Text;

namespace EdgeCloud.Export.Formats;

/// <summary>
/// A ZIP archive without compression, written from start to end: every entry's size and CRC are known before its bytes, all entries bear
/// the first date that ZIP knows, so the same entries give the same bytes. ZIP64 where an entry or the archive needs it (APPNOTE 6.3.10).
/// </summary>
internal sealed class StoredZip(Stream output)
{
    private const uint Zip64Mark = 0xFFFFFFFF;
    private const ushort Zip64EntriesMark = 0xFFFF;
    private const ushort Date1980 = 0x0021;
    private const ushort Version = 45;
    private const ushort Utf8Names = 0x0800;

    private readonly List<(byte[] Name, long Size, uint Crc, long Offset)> _entries = [];
    private long _position;

    /// <summary>Begins an entry; exactly its size must follow by <see cref="WriteAsync"/>.</summary>
    public async ValueTask BeginAsync(string name, long size, uint crc, CancellationToken cancellation)
    {
        var entry = (Name: Encoding.UTF8.GetBytes(name), size, crc, _position);
        _entries.Add(entry);
        var record = new Record();
        record.U32(0x04034B50).U16(Version).U16(Utf8Names).U16(0).U16(0).U16(Date1980).U32(crc);
        var isLarge = size >= Zip64Mark;
        record.U32(isLarge ? Zip64Mark : (uint)size).U32(isLarge ? Zip64Mark : (uint)size);
        record.U16((ushort)entry.Name.Length).U16((ushort)(isLarge ? 20 : 0)).Bytes(entry.Name);
        if (isLarge)
            record.U16(1).U16(16).U64(size).U64(size);
        await WriteAsync(record.Written, cancellation).ConfigureAwait(false);
    }

    /// <summary>Writes bytes of the entry that was begun.</summary>
    public ValueTask WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellation)
    {
        _position += bytes.Length;
        return output.WriteAsync(bytes, cancellation);
    }

    /// <summary>Writes the directory.</summary>
    public async ValueTask FinishAsync(CancellationToken cancellation)
    {
        var start = _position;
        foreach (var (name, size, crc, offset) in _entries)
            await WriteAsync(DirectoryEntry(name, size, crc, offset), cancellation).ConfigureAwait(false);
        var length = _position - start;
        var record = new Record();
        if (_entries.Count >= Zip64EntriesMark || start >= Zip64Mark || length >= Zip64Mark)
        {
            record.U32(0x06064B50).U64(44).U16(Version).U16(Version).U32(0).U32(0).U64(_entries.Count).U64(_entries.Count).U64(length).U64(start);
            record.U32(0x07064B50).U32(0).U64(start + length).U32(1);
        }
        var count = (ushort)Math.Min(_entries.Count, Zip64EntriesMark);
        record.U32(0x06054B50).U16(0).U16(0).U16(count).U16(count).U32((uint)Math.Min(length, Zip64Mark)).U32((uint)Math.Min(start, Zip64Mark)).U16(0);
        await WriteAsync(record.Written, cancellation).ConfigureAwait(false);
    }

    private static ReadOnlyMemory<byte> DirectoryEntry(byte[] name, long size, uint crc, long offset)
    {
        var (isLarge, isFar) = (size >= Zip64Mark, offset >= Zip64Mark);
        var extra = (isLarge ? 16 : 0) + (isFar ? 8 : 0);
        var record = new Record();
        record.U32(0x02014B50).U16(Version).U16(Version).U16(Utf8Names).U16(0).U16(0).U16(Date1980).U32(crc);
        record.U32(isLarge ? Zip64Mark : (uint)size).U32(isLarge ? Zip64Mark : (uint)size);
        record.U16((ushort)name.Length).U16((ushort)(extra > 0 ? extra + 4 : 0)).U16(0).U16(0).U16(0).U32(0);
        record.U32(isFar ? Zip64Mark : (uint)offset).Bytes(name);
        if (extra > 0)
            record.U16(1).U16((ushort)extra);
        if (isLarge)
            record.U64(size).U64(size);
        if (isFar)
            record.U64(offset);
        return record.Written;
    }

    /// <summary>Little-endian fields.</summary>
    private sealed class Record
    {
        private readonly TextBuffer _bytes = new();

        public ReadOnlyMemory<byte> Written => _bytes.Written;

        public Record U16(ushort value)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_bytes.Reserve(2), value);
            _bytes.Advance(2);
            return this;
        }

        public Record U32(uint value)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_bytes.Reserve(4), value);
            _bytes.Advance(4);
            return this;
        }

        public Record U64(long value)
        {
            BinaryPrimitives.WriteInt64LittleEndian(_bytes.Reserve(8), value);
            _bytes.Advance(8);
            return this;
        }

        public Record Bytes(ReadOnlySpan<byte> bytes)
        {
            _bytes.Append(bytes);
            return this;
        }
    }
}
