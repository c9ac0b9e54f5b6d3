namespace EdgeCloud.Agent.Tests.Wal.Simulation;

/// <summary>The contents of one simulated file: what a running system sees, and the changes of which a power cut leaves no one knows what.</summary>
internal sealed class Inode
{
    private readonly List<Change> _pending = []; // since the last sync that succeeded; those in doubt stay
    private byte[] _durable = [];
    private long _durableLength;

    /// <summary>Bytes as a running system sees them; more may be allocated than are in use.</summary>
    public byte[] Seen { get; private set; } = [];

    /// <summary>Size as a running system sees it.</summary>
    public long SeenLength { get; private set; }

    public int Read(long offset, Span<byte> buffer)
    {
        var length = (int)Math.Clamp(SeenLength - offset, 0, buffer.Length);
        if (length > 0) Seen.AsSpan((int)offset, length).CopyTo(buffer);
        return length;
    }

    public void Write(long offset, ReadOnlySpan<byte> data)
    {
        if (data.Length == 0) return;
        _pending.Add(new Change { Offset = offset, Data = data.ToArray() });
        (Seen, SeenLength) = Apply(Seen, SeenLength, _pending[^1], _ => true);
    }

    public void Resize(long length)
    {
        _pending.Add(new Change { Offset = length });
        (Seen, SeenLength) = Apply(Seen, SeenLength, _pending[^1], _ => true);
    }

    /// <summary>What was written is durable now, unless it has been in doubt before.</summary>
    public void Sync()
    {
        foreach (var change in _pending)
        {
            if (change.InDoubt) continue;
            (_durable, _durableLength) = Apply(_durable, _durableLength, change, _ => true);
            // What was in doubt below something newer and durable is settled.
            foreach (var older in _pending.TakeWhile(c => c != change).Where(c => c.InDoubt)) older.SettleUnder(change);
        }

        _pending.RemoveAll(change => !change.InDoubt);
    }

    /// <summary>What was written since the last sync may or may not be on disk, and the system believes that it is.</summary>
    public void FailSync()
    {
        foreach (var change in _pending) change.InDoubt = true;
    }

    /// <summary>The file as it may be found after the power went.</summary>
    public Inode AfterPowerCut(Random random)
    {
        var (data, length) = (_durable.ToArray(), _durableLength);
        var mood = random.Next(4); // none, all, or each sector on its own, with more or less luck
        var luck = mood switch { 0 => 0, 1 => 1, 2 => 0.5, _ => random.NextDouble() };
        foreach (var change in _pending)
            (data, length) = Apply(data, length, change, sector => !change.IsSettled(sector) && random.NextDouble() < luck);
        return new Inode { _durable = data, _durableLength = length, Seen = data.ToArray(), SeenLength = length };
    }

    /// <summary>Applies those sectors of a change that are kept.</summary>
    private static (byte[] Data, long Length) Apply(byte[] data, long length, Change change, Func<long, bool> isKept)
    {
        if (change.Data is not { } written)
        {
            if (!isKept(-1)) return (data, length);
            var resized = Room(data, change.Offset);
            if (change.Offset < length) resized.AsSpan((int)change.Offset).Clear();
            return (resized, change.Offset);
        }

        for (var at = 0; at < written.Length; at += SimulatedDisk.SectorBytes)
        {
            var sector = change.Offset + at;
            if (!isKept(sector)) continue;
            var piece = written.AsSpan(at, Math.Min(SimulatedDisk.SectorBytes, written.Length - at));
            data = Room(data, sector + piece.Length);
            piece.CopyTo(data.AsSpan((int)sector));
            length = Math.Max(length, sector + piece.Length);
        }

        return (data, length);
    }

    private static byte[] Room(byte[] data, long length)
    {
        if (data.Length < length) Array.Resize(ref data, (int)Math.Max(length, Math.Min(2L * data.Length, 1 << 24)));
        return data;
    }

    /// <summary>A write, or without data a new size.</summary>
    private sealed class Change
    {
        private readonly HashSet<long> _settled = [];
        private long _settledFrom = long.MaxValue;
        private bool _sizeSettled;

        public long Offset { get; init; }
        public byte[]? Data { get; init; }
        public bool InDoubt { get; set; }

        public bool IsSettled(long sector) => sector < 0 ? _sizeSettled : sector >= _settledFrom || _settled.Contains(sector);

        public void SettleUnder(Change newer)
        {
            if (newer.Data is null)
            {
                _sizeSettled = true;
                _settledFrom = Math.Min(_settledFrom, newer.Offset);
                return;
            }

            for (var at = 0; at < newer.Data.Length; at += SimulatedDisk.SectorBytes) _settled.Add(newer.Offset + at);
        }
    }
}
