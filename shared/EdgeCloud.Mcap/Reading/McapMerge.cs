using System.Runtime.CompilerServices;

namespace EdgeCloud.Mcap.Reading;

/// <summary>A message and the file that it comes from.</summary>
/// <param name="File">Index of its reader in the list that was merged.</param>
/// <param name="Message">The message; its channel id is that of its file.</param>
public readonly record struct MergedMessage(int File, Message Message);

/// <summary>Reads several files as one, ordered by (log time, file, offset), or exactly the reverse.</summary>
public sealed class McapMerge : IAsyncEnumerable<MergedMessage>
{
    private readonly IReadOnlyList<McapIndexedReader> _readers;
    private readonly McapReadOptions _options;

    /// <summary>A merge of what <paramref name="options"/> select in each file. The readers stay the caller's.</summary>
    public McapMerge(IReadOnlyList<McapIndexedReader> readers, McapReadOptions? options = null)
    {
        _readers = readers;
        _options = options ?? McapReadOptions.All;
        if (_options.Order == MessageOrder.File)
            throw new ArgumentException("Files are merged by log time: ask for LogTime or ReverseLogTime.", nameof(options));
    }

    /// <summary>A cursor before the first message.</summary>
    public Cursor GetAsyncEnumerator(CancellationToken cancellationToken = default) => new(_readers, _options, cancellationToken);

    IAsyncEnumerator<MergedMessage> IAsyncEnumerable<MergedMessage>.GetAsyncEnumerator(CancellationToken cancellationToken) =>
        GetAsyncEnumerator(cancellationToken);

    /// <summary>Walks the messages of several files. Not thread-safe.</summary>
    public sealed class Cursor : IAsyncEnumerator<MergedMessage>
    {
        private readonly MessageCursor[] _cursors;
        private readonly ulong[] _keys;
        private readonly int[] _heap; // files, least (key, file) at the root
        private readonly ulong _flip;
        private int _count;
        private bool _started;

        internal Cursor(IReadOnlyList<McapIndexedReader> readers, McapReadOptions options, CancellationToken cancellationToken)
        {
            _cursors = new MessageCursor[readers.Count];
            for (var i = 0; i < _cursors.Length; i++)
                _cursors[i] = new(readers[i], options, cancellationToken);
            _keys = new ulong[_cursors.Length];
            _heap = new int[_cursors.Length];
            _flip = options.Order == MessageOrder.ReverseLogTime ? ulong.MaxValue : 0;
        }

        /// <summary>The message that the cursor is at; its data is valid until the cursor moves.</summary>
        public MergedMessage Current => new(_heap[0], _cursors[_heap[0]].Current);

        /// <summary>Moves on. Completes at once unless a file must be read.</summary>
        public ValueTask<bool> MoveNextAsync()
        {
            if (!_started || _count == 0)
                return StartAsync();
            var file = _heap[0];
            var moved = _cursors[file].MoveNextAsync();
            return moved.IsCompletedSuccessfully ? new(Settle(file, moved.Result)) : FinishMoveAsync(file, moved);
        }

        /// <inheritdoc/>
        public async ValueTask DisposeAsync()
        {
            _count = 0;
            _started = true;
            foreach (var cursor in _cursors)
                await cursor.DisposeAsync().ConfigureAwait(false);
        }

        private async ValueTask<bool> StartAsync()
        {
            if (_started)
                return false;
            _started = true;
            for (var file = 0; file < _cursors.Length; file++)
            {
                if (!await _cursors[file].MoveNextAsync().ConfigureAwait(false))
                    continue;
                _keys[file] = _cursors[file].Current.LogTime ^ _flip;
                _heap[_count++] = file;
            }
            for (var i = _count / 2 - 1; i >= 0; i--)
                SiftDown(i);
            return _count > 0;
        }

        private async ValueTask<bool> FinishMoveAsync(int file, ValueTask<bool> moved) => Settle(file, await moved.ConfigureAwait(false));

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        private bool Settle(int file, bool hasMessage)
        {
            if (hasMessage)
                _keys[file] = _cursors[file].Current.LogTime ^ _flip;
            else
                _heap[0] = _heap[--_count];
            SiftDown(0);
            return _count > 0;
        }

        private void SiftDown(int i)
        {
            var heap = _heap;
            while (true)
            {
                var least = i;
                for (var child = 2 * i + 1; child <= 2 * i + 2 && child < _count; child++)
                {
                    if (IsLess(heap[child], heap[least]))
                        least = child;
                }
                if (least == i)
                    return;
                (heap[i], heap[least]) = (heap[least], heap[i]);
                i = least;
            }
        }

        private bool IsLess(int a, int b) =>
            _keys[a] != _keys[b] ? _keys[a] < _keys[b] : _flip == 0 ? a < b : a > b;
    }
}
