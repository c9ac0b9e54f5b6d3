namespace EdgeCloud.Agent.Wal;

/// <summary>
/// Everything that the log does to a disk. There are two implementations: <see cref="LinuxFiles"/>, and in the tests one that records every
/// write, sync, rename and directory sync and then materialises the states that a power cut could leave.
/// Every member throws <see cref="WalIoException"/> when the disk refuses.
/// </summary>
public interface IWalFiles
{
    /// <summary>Creates a file that must not exist, and reserves space for it where the file system can. When it throws, there may be a file
    /// nevertheless.</summary>
    /// <param name="path">The file.</param>
    /// <param name="reserveBytes">Bytes to reserve; the file then reads as zeros up to as many bytes as could be had.</param>
    IWalFile Create(string path, long reserveBytes);

    /// <summary>Opens an existing file for writing; its contents stay.</summary>
    IWalFile OpenWrite(string path);

    /// <summary>Opens an existing file for reading.</summary>
    IWalFile OpenRead(string path);

    /// <summary>Opens an existing file for reading all of it once: past the page cache where the file system allows it, in whole blocks then.</summary>
    IWalFile OpenScan(string path);

    /// <summary>Gives a file another name in one step; a file of that name is replaced. Durable after <see cref="SyncDirectory"/>.</summary>
    void Rename(string from, string to);

    /// <summary>Removes a file; nothing happens when there is none. Durable after <see cref="SyncDirectory"/>.</summary>
    void Delete(string path);

    /// <summary>Makes the folder's names durable.</summary>
    void SyncDirectory(string directory);

    /// <summary>True when there is a file of that name.</summary>
    bool Exists(string path);

    /// <summary>Full paths of the files of a folder, in order of name.</summary>
    IReadOnlyList<string> List(string directory);
}

/// <summary>One open file. Not for several threads at once.</summary>
public interface IWalFile : IDisposable
{
    /// <summary>Full path under which it was opened.</summary>
    string Path { get; }

    /// <summary>Offset, lengths and addresses of every write, and of every read of a file that was not opened by <see cref="IWalFiles.OpenRead"/>,
    /// are multiples of this: the block size for direct access, else 1.</summary>
    int Alignment { get; }

    /// <summary>Present size in bytes, reserved space included.</summary>
    long Length { get; }

    /// <summary>Writes pieces of memory one after the other from <paramref name="offset"/> on. Durable after <see cref="Sync"/>.</summary>
    void Write(long offset, ReadOnlySpan<MemoryPiece> pieces);

    /// <summary>Reads at <paramref name="offset"/> until the buffer is full or the file ends; returns the number of bytes read.</summary>
    int Read(long offset, Span<byte> buffer);

    /// <summary>Sets the size.</summary>
    void Truncate(long length);

    /// <summary>Makes everything written so far, and the size, durable. A sync that failed says nothing about what was written before:
    /// the file must not be written to any more.</summary>
    void Sync();
}

/// <summary>Memory that stays where it is while it is written: what <c>struct iovec</c> is to the kernel.</summary>
public readonly unsafe struct MemoryPiece(byte* address, int length)
{
    private readonly nint _address = (nint)address;
    private readonly nint _length = length;

    /// <summary>Where it begins.</summary>
    public byte* Address => (byte*)_address;

    /// <summary>Bytes.</summary>
    public int Length => (int)_length;

    /// <summary>The bytes.</summary>
    public ReadOnlySpan<byte> Bytes => new(Address, Length);

    /// <summary>What is left without the first bytes.</summary>
    public MemoryPiece From(int start) => new(Address + start, Length - start);
}
