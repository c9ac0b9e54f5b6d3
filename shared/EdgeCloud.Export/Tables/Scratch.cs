using System.Runtime.CompilerServices;

namespace EdgeCloud.Export.Tables;

/// <summary>
/// Sequences of bytes that are written side by side and read one after the other. They lie in one <see cref="NamelessFile"/>. What is
/// short stays in memory. Space whose bytes were read for the last time is written again, so that the file, and the memory in which the
/// system keeps it, grow no more than they must.
/// </summary>
/// <param name="folder">Where the file is made, once something must go there.</param>
internal sealed class Scratch(string folder) : IDisposable
{
    private readonly Stack<(long Offset, long Length)> _free = new();
    private FileStream? _file;
    private long _end;

    /// <summary>Bytes of the file.</summary>
    public long Bytes => _end;

    /// <summary>Stores the beginning of a block, or all of it; returns where it lies and how much it is.</summary>
    /// <exception cref="ExportException">The disk does not take it.</exception>
    public (long Offset, int Length) Store(ReadOnlySpan<byte> block)
    {
        var isFree = _free.TryPop(out var place);
        if (!isFree)
            place = (_end, block.Length);
        var length = (int)Math.Min(block.Length, place.Length);
        try
        {
            _file ??= NamelessFile.Create(folder);
            RandomAccess.Write(_file.SafeFileHandle, block[..length], place.Offset);
        }
        catch (IOException e)
        {
            throw new ExportException($"Scratch space in {folder} does not suffice after {_end} bytes: {e.Message}. Free some, or name another folder.", e);
        }
        if (!isFree)
            _end += length;
        else if (place.Length > length)
            _free.Push((place.Offset + length, place.Length - length));
        return (place.Offset, length);
    }

    /// <summary>Gives space back whose bytes are not needed any more.</summary>
    public void Release(long offset, long length)
    {
        if (_free.TryPeek(out var last) && last.Offset + last.Length == offset)
            (offset, length) = (last.Offset, _free.Pop().Length + length);
        _free.Push((offset, length));
    }

    /// <summary>Reads at most as much as the target takes.</summary>
    public int Read(long offset, Span<byte> target) => RandomAccess.Read(_file!.SafeFileHandle, target, offset);

    public void Dispose() => _file?.Dispose();
}

/// <summary>One sequence of bytes in scratch space: written first, then read from its start, as often as wanted and then once more.</summary>
internal sealed class ScratchStream(Scratch scratch)
{
    private const int BufferBytesMin = 4 << 10;
    private const int BufferBytesMax = 128 << 10;

    private readonly List<(long Offset, long Length)> _blocks = [];
    private byte[] _buffer = [];
    private int _used;

    /// <summary>Bytes written.</summary>
    public long Length { get; private set; }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        if (bytes.Length > _buffer.Length - _used)
            MakeRoom(bytes.Length);
        if (bytes.Length > BufferBytesMax)
        {
            Flush();
            Add(bytes);
            return;
        }
        bytes.CopyTo(_buffer.AsSpan(_used));
        _used += bytes.Length;
    }

    public void Write<T>(in T value) where T : unmanaged =>
        Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)));

    /// <summary>A reader at the start. Nothing is written any more.</summary>
    public Reader Read() => new(this, scratch, isLast: false);

    /// <summary>The last reader: what it has read is gone.</summary>
    public Reader ReadLast() => new(this, scratch, isLast: true);

    private void MakeRoom(int length)
    {
        if (_used + length > BufferBytesMax)
            Flush();
        if (length > _buffer.Length - _used && length <= BufferBytesMax)
            Array.Resize(ref _buffer, (int)Math.Min(BufferBytesMax, Math.Max(Math.Max(BufferBytesMin, 2L * _buffer.Length), _used + length)));
    }

    private void Flush()
    {
        if (_used > 0)
            Add(_buffer.AsSpan(0, _used));
        _used = 0;
    }

    private void Add(ReadOnlySpan<byte> block)
    {
        while (block.Length > 0)
        {
            var (offset, length) = scratch.Store(block);
            if (_blocks.Count > 0 && _blocks[^1].Offset + _blocks[^1].Length == offset)
                _blocks[^1] = (_blocks[^1].Offset, _blocks[^1].Length + length);
            else
                _blocks.Add((offset, length));
            block = block[length..];
        }
    }

    /// <summary>Reads a sequence once.</summary>
    internal sealed class Reader(ScratchStream stream, Scratch scratch, bool isLast)
    {
        private const int BufferBytes = 256 << 10;

        private byte[] _buffer = [];
        private int _from, _to;
        private int _block;
        private long _blockDone;
        private bool _tailDone;

        /// <summary>The next bytes, valid until the next call; empty when fewer are left.</summary>
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public ReadOnlyMemory<byte> Take(int length)
        {
            if (_to - _from < length && !Fill(length))
                return default;
            var taken = _buffer.AsMemory(_from, length);
            _from += length;
            return taken;
        }

        /// <summary>The next bytes, as many as are at hand; empty at the end.</summary>
        public ReadOnlyMemory<byte> TakeSome() => _to > _from || Fill(1) ? Take(_to - _from) : default;

        private bool Fill(int length)
        {
            var target = _buffer;
            if (target.Length < length)
                target = GC.AllocateUninitializedArray<byte>(Math.Max(length, (int)Math.Min(BufferBytes, Math.Max(1, stream.Length))), pinned: true);
            _buffer.AsSpan(_from, _to - _from).CopyTo(target);
            (_buffer, _from, _to) = (target, 0, _to - _from);
            while (_to < _buffer.Length && ReadOn() is var read and > 0)
                _to += read;
            return _to >= length;
        }

        private int ReadOn()
        {
            if (_block < stream._blocks.Count)
            {
                var (offset, length) = stream._blocks[_block];
                var read = scratch.Read(offset + _blockDone, _buffer.AsSpan(_to, (int)Math.Min(_buffer.Length - _to, length - _blockDone)));
                if (isLast && read > 0)
                    scratch.Release(offset + _blockDone, read);
                _blockDone += read;
                if (_blockDone == length)
                    (_block, _blockDone) = (_block + 1, 0);
                return read;
            }
            if (_tailDone)
                return 0;
            var tail = stream._buffer.AsSpan((int)_blockDone, stream._used - (int)_blockDone);
            var copied = Math.Min(tail.Length, _buffer.Length - _to);
            tail[..copied].CopyTo(_buffer.AsSpan(_to));
            _blockDone += copied;
            _tailDone = _blockDone == stream._used;
            return copied;
        }
    }
}
