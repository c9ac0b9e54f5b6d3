using EdgeCloud.Mcap.Compression;

namespace EdgeCloud.Agent.Wal;

/// <summary>Chunks of one log that workers are to encode, in order, so many at once and no more: the rest of the cores is the robot's.</summary>
internal sealed class ChunkEncoding(WalWorkers workers, int atOnce) : IWalWork
{
    private readonly Queue<MessageChunk> _waiting = new();
    private int _scheduled; // with the workers: never more than may run

    /// <summary>Adds a closed chunk.</summary>
    public void Post(MessageChunk chunk)
    {
        lock (_waiting)
        {
            _waiting.Enqueue(chunk);
            if (_scheduled == atOnce) return;
            _scheduled++;
        }

        workers.Add(this, WalWorkers.Urgency.Chunk);
    }

    void IWalWork.Run(ChunkCodec codec)
    {
        MessageChunk? chunk;
        lock (_waiting) _waiting.TryDequeue(out chunk);
        if (chunk is IWalWork work) work.Run(codec);
        lock (_waiting)
        {
            if (_waiting.Count == 0)
            {
                _scheduled--;
                return;
            }
        }

        workers.Add(this, WalWorkers.Urgency.Chunk);
    }
}
