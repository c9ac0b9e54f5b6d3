using System.Buffers;
using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Mcap.Recovery;

/// <summary>A stretch of a damaged file: a record, whole or cut off, or bytes that are none.</summary>
/// <param name="Offset">Where it begins.</param>
/// <param name="Length">Its bytes.</param>
/// <param name="Record">The record; cut off when <paramref name="IsTorn"/>; null for bytes that are none.</param>
/// <param name="ChunkRecords">Of a chunk that could be opened and whose CRC holds: its records.</param>
/// <param name="Fault">What is wrong with it; null for a record that is whole and, as far as a CRC can tell, sound.</param>
/// <param name="IsTorn">Whether the record ends before its length says.</param>
internal readonly record struct Piece(
    long Offset, long Length, McapRecord? Record = null, ReadOnlyMemory<byte> ChunkRecords = default, string? Fault = null, bool IsTorn = false);

/// <summary>
/// Walks a file that may be damaged anywhere. A record's length is believed while what follows it looks like a record; where it does
/// not, the walk goes on at the next chunk or attachment whose CRC holds.
/// </summary>
internal sealed class DamagedFile(IByteSource source, long chunkBytesMax) : IDisposable
{
    // What a chunk takes at least before its records: opcode, length, and its fields with the longest compression name.
    private const int ChunkProbeBytes = McapFormat.RecordPrefixBytes + McapFormat.ChunkHeaderBytes + 4;

    private readonly SourceWindow _window = new(source);
    private readonly SourceWindow _probeWindow = new(source);
    private readonly ChunkReader _chunks = new(verifyCrc: true, chunkBytesMax);
    private byte[] _chunkBuffer = [];

    /// <summary>The pieces from the first byte after the leading magic on, without holes. Each is valid until the next.</summary>
    public async IAsyncEnumerable<Piece> WalkAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var magic = (await _window.ReadAsync(0, 8, cancellationToken).ConfigureAwait(false)).ToArray();
        long at = Math.Min(8, source.Length);
        if (!McapFormat.Magic.StartsWith(magic) || magic.Length < 8)
        {
            at = magic.Length < 8 ? source.Length : await FindAsync(0, cancellationToken).ConfigureAwait(false);
            yield return new(0, at, Fault: "the file does not begin with the magic bytes");
        }
        while (at < source.Length)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var piece = await ReadAsync(at, cancellationToken).ConfigureAwait(false);
            yield return piece;
            at += piece.Length;
        }
    }

    public void Dispose()
    {
        _chunks.Dispose();
        if (_chunkBuffer.Length > 0)
            ArrayPool<byte>.Shared.Return(_chunkBuffer);
        _chunkBuffer = [];
    }

    private async ValueTask<Piece> ReadAsync(long at, CancellationToken cancellationToken)
    {
        var left = source.Length - at;
        var prefix = await _window.ReadAsync(at, McapFormat.RecordPrefixBytes, cancellationToken).ConfigureAwait(false);
        if (prefix.Span.SequenceEqual(McapFormat.Magic[..Math.Min(8, prefix.Length)]) && left <= 8)
            return left == 8 ? new(at, 8) : new(at, left, Fault: "the trailing magic is cut off");
        if (!RecordFraming.TryReadPrefix(prefix.Span, out var opcode, out var length))
            return new(at, left, Fault: "a record is cut off in its first nine bytes");
        if (opcode == 0 || length > (ulong)Math.Min(left - McapFormat.RecordPrefixBytes, McapFormat.RecordBytesLimit))
            return await ReadTornAsync(at, opcode, length, cancellationToken).ConfigureAwait(false);

        var whole = McapFormat.RecordPrefixBytes + (long)length;
        var bytes = await _window.ReadAsync(at, whole, cancellationToken).ConfigureAwait(false);
        var record = new McapRecord(opcode, bytes[McapFormat.RecordPrefixBytes..], new(at));
        var fault = Check(record, out var chunkRecords);
        if (fault is null)
            return new(at, whole, record, chunkRecords);
        var trusted = await LooksLikeRecordAsync(at + whole, cancellationToken).ConfigureAwait(false);
        var next = trusted ? at + whole : await FindAsync(at + 1, cancellationToken).ConfigureAwait(false);
        return new(at, next - at, Fault: fault);
    }

    private async ValueTask<Piece> ReadTornAsync(long at, Opcode opcode, ulong length, CancellationToken cancellationToken)
    {
        var next = await FindAsync(at + 1, cancellationToken).ConfigureAwait(false);
        if (opcode == 0 || next - at < McapFormat.RecordPrefixBytes)
            return new(at, next - at, Fault: "these bytes are no record");
        var fault = $"a {McapRecord.NameOf(opcode)} of {length} bytes is cut off, or its length is damaged";
        var bytes = await _window.ReadAsync(at, next - at, cancellationToken).ConfigureAwait(false);
        return new(at, next - at, new McapRecord(opcode, bytes[McapFormat.RecordPrefixBytes..], new(at)), Fault: fault, IsTorn: true);
    }

    /// <summary>Null for a record that is sound as far as its CRC, if it has one, can tell; else what is wrong.</summary>
    private string? Check(McapRecord record, out ReadOnlyMemory<byte> chunkRecords)
    {
        chunkRecords = default;
        try
        {
            if (record.Opcode == Opcode.Chunk)
            {
                chunkRecords = _chunks.Open(record.ToChunk(), record.Position, ref _chunkBuffer);
                ChunkContents.Of(chunkRecords, record.Position.Offset);
            }
            else if (record.Opcode == Opcode.Attachment)
            {
                record.ToAttachment();
            }
            return null;
        }
        catch (McapException e)
        {
            return e.Message;
        }
    }

    private async ValueTask<bool> LooksLikeRecordAsync(long at, CancellationToken cancellationToken)
    {
        if (at == source.Length)
            return true;
        var prefix = await _probeWindow.ReadAsync(at, McapFormat.RecordPrefixBytes, cancellationToken).ConfigureAwait(false);
        if (source.Length - at == 8)
            return prefix.Span.SequenceEqual(McapFormat.Magic);
        return RecordFraming.TryReadPrefix(prefix.Span, out var opcode, out var length)
            && opcode is > 0 and <= Opcode.DataEnd or >= McapFormat.FirstApplicationOpcode
            && length <= (ulong)(source.Length - at - McapFormat.RecordPrefixBytes);
    }

    /// <summary>Where the next chunk or attachment begins whose CRC, not 0, holds; the file's length when there is none.</summary>
    private async ValueTask<long> FindAsync(long from, CancellationToken cancellationToken)
    {
        while (from < source.Length)
        {
            var probe = await _probeWindow.ReadAsync(from, 1 << 20, cancellationToken).ConfigureAwait(false);
            var last = Math.Max(1, probe.Length - ChunkProbeBytes);
            for (var i = 0; i < last; i++)
            {
                var next = probe.Span[i..last].IndexOfAny((byte)Opcode.Chunk, (byte)Opcode.Attachment);
                if (next < 0)
                    break;
                i += next;
                var (at, length) = (from + i, PlausibleLength(probe.Span[i..], source.Length - from - i));
                if (length == 0)
                    continue;
                var bytes = await _probeWindow.ReadAsync(at, length, cancellationToken).ConfigureAwait(false);
                var record = new McapRecord((Opcode)bytes.Span[0], bytes[McapFormat.RecordPrefixBytes..], new(at));
                if (HasCrc(record) && Check(record, out _) is null)
                    return at;
                probe = await _probeWindow.ReadAsync(from, 1 << 20, cancellationToken).ConfigureAwait(false);
            }
            from += last;
        }
        return source.Length;
    }

    /// <summary>The length of a chunk or attachment that may begin there, opcode and length included; 0 when its fields do not fit together.</summary>
    private static long PlausibleLength(ReadOnlySpan<byte> bytes, long left)
    {
        if (!RecordFraming.TryReadPrefix(bytes, out var opcode, out var length) || length > (ulong)Math.Min(left - 9, McapFormat.RecordBytesLimit))
            return 0;
        var whole = McapFormat.RecordPrefixBytes + (long)length;
        if (opcode == Opcode.Attachment)
            return length >= 8 + 8 + 4 + 4 + 8 + 4 ? whole : 0;
        if (bytes.Length < ChunkProbeBytes || length < McapFormat.ChunkHeaderBytes)
            return 0;
        var fields = bytes[McapFormat.RecordPrefixBytes..];
        var nameBytes = BinaryPrimitives.ReadUInt32LittleEndian(fields[28..]);
        var known = nameBytes switch
        {
            0 => true,
            3 => fields.Slice(32, 3).SequenceEqual("lz4"u8),
            4 => fields.Slice(32, 4).SequenceEqual("zstd"u8),
            _ => false,
        };
        if (!known)
            return 0;
        var records = BinaryPrimitives.ReadUInt64LittleEndian(fields[(32 + (int)nameBytes)..]);
        return records <= length - McapFormat.ChunkHeaderBytes - nameBytes ? whole : 0;
    }

    private static bool HasCrc(McapRecord record)
    {
        try
        {
            return record.Opcode == Opcode.Chunk ? record.ToChunk().UncompressedCrc != 0 : record.ToAttachment(verifyCrc: false).Crc != 0;
        }
        catch (McapException)
        {
            return false; // its fields do not fit together: not what is looked for
        }
    }
}
