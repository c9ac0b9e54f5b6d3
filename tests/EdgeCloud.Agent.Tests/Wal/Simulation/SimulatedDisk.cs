using EdgeCloud.Agent.Wal;

namespace EdgeCloud.Agent.Tests.Wal.Simulation;

/// <summary>
/// A disk in memory that can lose its power. It serves one folder, and keeps beside what a running system sees what a power cut could leave.
/// <para>Faults, all of which the log must tolerate:</para>
/// <list type="bullet">
/// <item>Writes since a file's last sync are lost, kept, or kept in part, each sector of 512 bytes on its own, in any order.</item>
/// <item>A change of size since the last sync is lost or kept.</item>
/// <item>Creations, renames and removals since the folder's last sync are undone from some point on (journals keep their order).</item>
/// <item>A sync that failed leaves the writes before it in doubt for ever, even if a later sync succeeds: each sector is there or not.</item>
/// <item>A write that failed may have reached the disk in part.</item>
/// </list>
/// Not among them: sectors that change or cannot be read after a sync that succeeded (see <see cref="Damage"/> and <see cref="Unreadable"/>), and writes
/// to places that nobody wrote to.
/// </summary>
internal sealed class SimulatedDisk : IWalFiles
{
    public const int SectorBytes = 512;
    public const string Folder = "/sim";

    private readonly Dictionary<string, Inode> _names = [];
    private readonly Dictionary<string, Inode> _durableNames = [];
    private readonly List<NameChange> _pendingNames = [];

    /// <summary>Bytes that were read.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Asked before each operation: the error number with which it fails, or 0.</summary>
    public Func<string, string, int> Fault { get; set; } = (_, _) => 0;

    /// <summary>Decides how much of a write that fails reaches the disk, and so on.</summary>
    public Random Random { get; init; } = new(0);

    /// <summary>Called before each operation: the moments at which the power may go.</summary>
    public Action Moment { get; set; } = () => { };

    /// <summary>Files that were opened and not closed.</summary>
    public int OpenFiles { get; private set; }

    /// <summary>Bytes of a file as a running system sees them.</summary>
    public byte[] ReadAll(string path)
    {
        var inode = _names[path];
        return inode.Seen[..(int)inode.SeenLength];
    }

    /// <summary>Changes a byte behind everybody's back.</summary>
    public void Damage(string path, long offset) => _names[path].Seen[offset] ^= 1;

    /// <summary>What cannot be read of a file: from a byte on, so many.</summary>
    public (string Path, long Offset, long Bytes) Unreadable { get; set; }

    /// <summary>Reads that failed.</summary>
    public int FailedReads { get; private set; }

    /// <summary>A disk as it may be found after the power went now.</summary>
    public SimulatedDisk AfterPowerCut(Random random)
    {
        var after = new SimulatedDisk { Random = Random };
        var names = new Dictionary<string, Inode>(_durableNames);
        foreach (var change in _pendingNames.Take(random.Next(_pendingNames.Count + 1))) change.ApplyTo(names);
        var kept = new Dictionary<Inode, Inode>();
        foreach (var (path, inode) in names)
        {
            if (!kept.TryGetValue(inode, out var survivor)) kept.Add(inode, survivor = inode.AfterPowerCut(random));
            after._names.Add(path, survivor);
            after._durableNames.Add(path, survivor);
        }

        return after;
    }

    public IWalFile Create(string path, long reserveBytes)
    {
        Before("open", path);
        if (_names.ContainsKey(path)) throw new WalIoException("open", path, 17);
        var inode = new Inode();
        Change(new NameChange(path, inode));
        if (reserveBytes > 0) inode.Resize(reserveBytes);
        return new OpenFile(this, inode, path);
    }

    public IWalFile OpenWrite(string path)
    {
        Before("open", path);
        return new OpenFile(this, Find(path), path);
    }

    public IWalFile OpenRead(string path) => new OpenFile(this, Find(path), path);

    public IWalFile OpenScan(string path) => OpenRead(path);

    public void Rename(string from, string to)
    {
        Before("rename", from);
        Change(new NameChange(to, Find(from), from));
    }

    public void Delete(string path)
    {
        Before("unlink", path);
        if (_names.ContainsKey(path)) Change(new NameChange(path, null));
    }

    public void SyncDirectory(string directory)
    {
        Assert.Equal(Folder, directory);
        Before("fsync", directory);
        foreach (var change in _pendingNames) change.ApplyTo(_durableNames);
        _pendingNames.Clear();
    }

    public bool Exists(string path) => _names.ContainsKey(path);

    public IReadOnlyList<string> List(string directory) => [.. _names.Keys.Order(StringComparer.Ordinal)];

    private void Change(NameChange change)
    {
        change.ApplyTo(_names);
        _pendingNames.Add(change);
    }

    private Inode Find(string path) => _names.TryGetValue(path, out var inode) ? inode : throw new WalIoException("open", path, 2);

    private void Before(string operation, string path)
    {
        Moment();
        var errno = Fault(operation, path);
        if (errno != 0) throw new WalIoException(operation, path, errno);
    }

    /// <summary>A name given to a file, taken from another name perhaps; or removed, when there is no file.</summary>
    private sealed record NameChange(string Name, Inode? Inode, string? From = null)
    {
        public void ApplyTo(Dictionary<string, Inode> names)
        {
            if (From is not null) names.Remove(From);
            if (Inode is null) names.Remove(Name);
            else names[Name] = Inode;
        }
    }

    private sealed class OpenFile : IWalFile
    {
        private readonly SimulatedDisk _disk;
        private readonly Inode _inode;
        private readonly string _path;
        private bool _disposed;

        public OpenFile(SimulatedDisk disk, Inode inode, string path)
        {
            (_disk, _inode, _path) = (disk, inode, path);
            disk.OpenFiles++;
        }

        public string Path => _path;
        public int Alignment => LinuxFiles.BlockBytes;
        public long Length => _inode.SeenLength;

        public unsafe void Write(long offset, ReadOnlySpan<MemoryPiece> pieces)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _disk.Moment();
            var errno = _disk.Fault("pwrite", _path);
            foreach (var piece in pieces)
            {
                Assert.Equal((0, 0, 0), (offset % Alignment, piece.Length % Alignment, (int)((nint)piece.Address % Alignment)));
                if (errno != 0)
                {
                    var part = _disk.Random.Next(piece.Length / SectorBytes + 1) * SectorBytes;
                    _inode.Write(offset, piece.Bytes[..part]);
                    throw new WalIoException("pwrite", _path, errno);
                }

                _inode.Write(offset, piece.Bytes);
                offset += piece.Length;
            }
        }

        public int Read(long offset, Span<byte> buffer)
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            var (path, bad, bytes) = _disk.Unreadable;
            if (path == _path && offset < bad + bytes && offset + buffer.Length > bad)
            {
                _disk.FailedReads++;
                throw new WalIoException("pread", _path, 5);
            }

            var read = _inode.Read(offset, buffer);
            _disk.BytesRead += read;
            return read;
        }

        public void Truncate(long length)
        {
            _disk.Before("ftruncate", _path);
            _inode.Resize(length);
        }

        public void Sync()
        {
            ObjectDisposedException.ThrowIf(_disposed, this);
            _disk.Moment();
            var errno = _disk.Fault("fdatasync", _path);
            if (errno == 0)
            {
                _inode.Sync();
                return;
            }

            _inode.FailSync();
            throw new WalIoException("fdatasync", _path, errno);
        }

        public void Dispose()
        {
            _disk.OpenFiles -= _disposed ? 0 : 1;
            _disposed = true;
        }
    }
}
