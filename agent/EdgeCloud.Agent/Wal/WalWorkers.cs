using EdgeCloud.Mcap.Compression;

namespace EdgeCloud.Agent.Wal;

/// <summary>Something for the workers to do.</summary>
internal interface IWalWork
{
    /// <summary>Does it.</summary>
    /// <param name="codec">The worker's own.</param>
    void Run(ChunkCodec codec);
}

/// <summary>
/// Threads that the logs of a process share, as many as there are cores (two at least, so that a segment being sealed holds nothing else up).
/// Chunks come first, in turn those to encode and those to hash: a hash left for later would have to read the disk. Then the next segment's file,
/// and sealing last.
/// </summary>
internal sealed class WalWorkers
{
    private readonly object _gate = new();
    private readonly PriorityQueue<IWalWork, (Urgency, long)> _work = new();
    private long _added;

    private WalWorkers(int threads)
    {
        for (var i = 0; i < threads; i++) new Thread(Run) { Name = $"wal-worker-{i}", IsBackground = true }.Start();
    }

    /// <summary>What comes first.</summary>
    public enum Urgency
    {
        /// <summary>Messages wait for it, or memory that they will need.</summary>
        Chunk,
        /// <summary>A file will be needed soon.</summary>
        File,
        /// <summary>Nobody waits.</summary>
        Seal,
    }

    /// <summary>The workers of this process.</summary>
    public static WalWorkers Shared { get; } = new(Math.Clamp(Environment.ProcessorCount, 2, 8));

    /// <summary>Workers without threads: the caller steps them.</summary>
    public static WalWorkers Stepped() => new(0);

    /// <summary>Adds work.</summary>
    public void Add(IWalWork work, Urgency urgency)
    {
        lock (_gate)
        {
            _work.Enqueue(work, (urgency, _added++));
            Monitor.Pulse(_gate);
        }
    }

    /// <summary>Does one piece of work; false when there is none.</summary>
    public bool Step(ChunkCodec codec)
    {
        IWalWork? work;
        lock (_gate)
        {
            if (!_work.TryDequeue(out work, out _)) return false;
        }

        work.Run(codec);
        return true;
    }

    private void Run()
    {
        using var codec = new ChunkCodec();
        while (true)
        {
            IWalWork work;
            lock (_gate)
            {
                while (_work.Count == 0) Monitor.Wait(_gate);
                work = _work.Dequeue();
            }

            work.Run(codec);
        }
    }
}

/// <summary>Work of one kind for one log, done piece by piece in the order in which it was posted, never two at once.</summary>
internal abstract class Strand<T>(WalWorkers workers, WalWorkers.Urgency urgency, Action<Exception> onUnexpected) : IWalWork
{
    private readonly Queue<T> _items = new();
    private bool _isScheduled;

    /// <summary>Adds a piece.</summary>
    protected void Post(in T item)
    {
        lock (_items)
        {
            _items.Enqueue(item);
            if (_isScheduled) return;
            _isScheduled = true;
        }

        workers.Add(this, urgency);
    }

    /// <summary>Does a piece. What it throws ends the log.</summary>
    protected abstract void Handle(in T item);

    /// <summary>Pieces that will not be done any more, for whoever must free them.</summary>
    protected IEnumerable<T> Left => _items;

    void IWalWork.Run(ChunkCodec codec)
    {
        T item;
        lock (_items) item = _items.Dequeue();
        try
        {
            Handle(item);
        }
        catch (Exception unexpected)
        {
            // The strands handle what a disk can do; anything else is a fault of the program, which the log's owner gets to see.
            onUnexpected(unexpected);
        }

        lock (_items)
        {
            if (_items.Count == 0)
            {
                _isScheduled = false;
                return;
            }
        }

        workers.Add(this, urgency);
    }
}
