using System.Runtime.CompilerServices;

namespace EdgeCloud.Mcap.Reading;

/// <summary>
/// Walks the messages of one file. Blocks are opened when the order reaches them and closed when their messages are taken, so memory
/// holds only the blocks whose times overlap at the moment, and of those no more than
/// <see cref="McapIndexedReaderOptions.OpenBytesMax"/> says: beyond it the blocks whose turn comes last are closed and opened anew
/// when it comes. Not thread-safe.
/// </summary>
public sealed class MessageCursor : IAsyncEnumerator<Message>
{
    // copied whole, where one made anew is written field by field and read as a whole, which the processor waits for
    private static readonly ValueTask<bool> Moved = new(true);

    private readonly McapIndexedReader _reader;
    private readonly McapReadOptions _options;
    private readonly CancellationToken _cancellationToken;
    private readonly ChannelSelection _selection;
    private readonly List<Block> _plan;
    private readonly ChunkReader _chunks;
    private readonly BlockFetcher _fetcher;
    private readonly ulong _flip;  // turns log times into keys that ascend in the order of reading
    private readonly bool _fileOrder;

    private readonly List<LoadedBlock> _heap = []; // least key at the root
    private readonly Stack<LoadedBlock> _spare = new();
    private int _planned;   // blocks of the plan that were opened
    private LoadedBlock? _top;
    private ulong _barrier; // the root stays the least while its key is below
    private bool _alone;    // no other block can interfere with the root

    internal MessageCursor(McapIndexedReader reader, McapReadOptions options, CancellationToken cancellationToken)
    {
        _reader = reader;
        _options = options;
        _cancellationToken = cancellationToken;
        _selection = new(reader.Summary, options);
        _plan = Block.Plan(reader, options, _selection);
        _chunks = new(reader.Options.VerifyChunkCrc, reader.Options.ChunkBytesMax, reader.Options.Buffers);
        _fetcher = new(reader.Source, _plan, reader.Options.Buffers, cancellationToken);
        _flip = options.Order == MessageOrder.ReverseLogTime ? ulong.MaxValue : 0;
        _fileOrder = options.Order == MessageOrder.File;
    }

    /// <summary>The message that the cursor is at; its data is valid until the cursor moves.</summary>
    public Message Current => _top is { } top ? top.Current : default;

    /// <summary>Moves on. Completes at once unless a block must be read.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public ValueTask<bool> MoveNextAsync()
    {
        var top = _top;
        if (top is null)
            return MoveOnAsync();
        if (_fileOrder)
            return top.WalkOne() ? Moved : MoveOnAsync();
        if (top.IsExhausted || (!_alone && (top.NextLogTime ^ _flip) >= _barrier))
            return MoveOnAsync();
        top.Take();
        return Moved;
    }

    /// <summary>Returns the memory of open blocks. The reader stays open.</summary>
    public async ValueTask DisposeAsync()
    {
        _heap.ForEach(block => block.Close());
        _heap.Clear();
        _top?.Close();
        _spare.Clear();
        _planned = _plan.Count;
        _top = null;
        _chunks.Dispose();
        await _fetcher.DisposeAsync().ConfigureAwait(false);
    }

    private async ValueTask<bool> MoveOnAsync()
    {
        try
        {
            return _fileOrder ? await WalkOnAsync().ConfigureAwait(false) : await FindNextAsync().ConfigureAwait(false);
        }
        catch (McapException e)
        {
            e.SourceName ??= _reader.Source.Name;
            throw;
        }
    }

    /// <summary>In file order: walks to the block's next message, or the first of those after it.</summary>
    private async ValueTask<bool> WalkOnAsync()
    {
        while (_top is null || !_top.Walk())
        {
            if (_top is { } done)
            {
                _top = null;
                PutAside(done);
            }
            if (_planned == _plan.Count)
                return false;
            _top = await LoadAsync(_planned++).ConfigureAwait(false);
        }
        return true;
    }

    /// <summary>In the order of log times: takes the next message of whichever block has it.</summary>
    private async ValueTask<bool> FindNextAsync()
    {
        if (_top is { IsExhausted: true })
            RemoveRoot();
        else if (_top is not null)
            SiftDown(0);
        _top = null;
        while (NextBlockIsDue())
        {
            var block = await LoadAsync(_planned++).ConfigureAwait(false);
            if (block.IsExhausted)
                PutAside(block);
            else
                Push(block);
            CloseBeyondLimit();
        }
        if (_heap.Count == 0)
            return false;
        if (!_heap[0].IsOpen)
        {
            await ReopenAsync(_heap[0]).ConfigureAwait(false);
            CloseBeyondLimit();
        }
        _top = _heap[0];
        SetBarrier();
        _top.Take();
        return true;
    }

    /// <summary>Whether the next block of the plan may hold a message that comes before the root's.</summary>
    private bool NextBlockIsDue() =>
        _planned < _plan.Count && (_heap.Count == 0 || KeyOf(_plan[_planned]) <= KeyOf(_heap[0]));

    private void SetBarrier()
    {
        _alone = _heap.Count == 1 && _planned == _plan.Count;
        _barrier = ulong.MaxValue;
        for (var i = 1; i < Math.Min(3, _heap.Count); i++)
            _barrier = Math.Min(_barrier, KeyOf(_heap[i]));
        if (_planned < _plan.Count)
            _barrier = Math.Min(_barrier, KeyOf(_plan[_planned]));
    }

    private async ValueTask<LoadedBlock> LoadAsync(int index)
    {
        _cancellationToken.ThrowIfCancellationRequested();
        var block = _plan[index];
        var stored = await _fetcher.FetchAsync(index).ConfigureAwait(false);
        var loaded = _spare.TryPop(out var spare) ? spare : new LoadedBlock(_chunks, _selection, _options);
        try
        {
            loaded.Load(block, stored, BytesOf(block, stored));
            if (!_fileOrder)
                loaded.FindAll();
        }
        catch
        {
            loaded.Close(); // nobody else has it, and its buffers are the pool's
            throw;
        }
        return loaded;
    }

    private async ValueTask ReopenAsync(LoadedBlock loaded)
    {
        var stored = await _fetcher.FetchAloneAsync(loaded.Block).ConfigureAwait(false);
        try
        {
            loaded.Open(stored, BytesOf(loaded.Block, stored));
        }
        catch
        {
            loaded.Close();
            throw;
        }
    }

    private ReadOnlyMemory<byte> BytesOf(Block block, FetchedSpan? stored)
    {
        if (stored is not null)
            return stored.Of(block);
        _reader.Source.TryGetMemory(block.Offset, (int)block.Length, out var bytes);
        return bytes;
    }

    /// <summary>Closes the blocks whose turn comes last until the open ones, the root apart, fit the limit.</summary>
    private void CloseBeyondLimit()
    {
        long open = 0;
        foreach (var block in _heap)
            open += block.OpenBytes;
        while (open > _reader.Options.OpenBytesMax)
        {
            LoadedBlock? last = null;
            for (var i = 1; i < _heap.Count; i++)
            {
                if (_heap[i].OpenBytes > 0 && (last is null || IsLess(last, _heap[i])))
                    last = _heap[i];
            }
            if (last is null)
                return;
            open -= last.OpenBytes;
            last.Close();
        }
    }

    private ulong KeyOf(LoadedBlock block) => block.NextLogTime ^ _flip;

    private ulong KeyOf(Block block) => _flip == 0 ? block.StartTime : ~block.EndTime;

    private bool IsLess(LoadedBlock a, LoadedBlock b)
    {
        var (keyA, keyB) = (KeyOf(a), KeyOf(b));
        return keyA != keyB ? keyA < keyB : _flip == 0 ? a.Block.Offset < b.Block.Offset : a.Block.Offset > b.Block.Offset;
    }

    private void PutAside(LoadedBlock block)
    {
        block.Close();
        _spare.Push(block);
    }

    private void Push(LoadedBlock block)
    {
        _heap.Add(block);
        for (var i = _heap.Count - 1; i > 0 && IsLess(_heap[i], _heap[(i - 1) / 2]); i = (i - 1) / 2)
            (_heap[i], _heap[(i - 1) / 2]) = (_heap[(i - 1) / 2], _heap[i]);
    }

    private void RemoveRoot()
    {
        PutAside(_heap[0]);
        _heap[0] = _heap[^1];
        _heap.RemoveAt(_heap.Count - 1);
        SiftDown(0);
    }

    private void SiftDown(int i)
    {
        while (true)
        {
            var least = i;
            for (var child = 2 * i + 1; child <= 2 * i + 2 && child < _heap.Count; child++)
            {
                if (IsLess(_heap[child], _heap[least]))
                    least = child;
            }
            if (least == i)
                return;
            (_heap[i], _heap[least]) = (_heap[least], _heap[i]);
            i = least;
        }
    }
}
