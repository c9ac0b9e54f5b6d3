namespace EdgeCloud.Agent.Wal;

/// <summary>
/// Memory for direct transfers: whole pages, of 2 MiB where they are filled and the system has such. The kernel looks up every page of every
/// transfer, a disk takes larger pieces at once, and copying and summing look up fewer, too. A huge page counts as resident when a byte of it is
/// touched, so memory that is hardly used is better off with small ones.
/// </summary>
internal static unsafe class PageMemory
{
    private const nuint HugeBytes = 2 << 20;

    /// <summary>Bytes to allocate for that many: whole blocks, and a huge page where more than half of one would be used.</summary>
    public static nuint Rounded(nuint bytes) => bytes is > HugeBytes / 2 and < HugeBytes ? HugeBytes
        : (bytes + LinuxFiles.BlockBytes - 1) / LinuxFiles.BlockBytes * LinuxFiles.BlockBytes;

    /// <summary>Memory that begins on a page, a huge one if it is that large; its content is zeros.</summary>
    /// <param name="bytes">A multiple of <see cref="LinuxFiles.BlockBytes"/>.</param>
    /// <exception cref="OutOfMemoryException">There is none.</exception>
    public static byte* Allocate(nuint bytes)
    {
        var isHuge = bytes >= HugeBytes;
        var mapped = LibC.MMap(0, bytes + (isHuge ? HugeBytes : 0), LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS, -1, 0);
        if (mapped == -1) throw new OutOfMemoryException($"The system has no {bytes} bytes for messages that wait for the disk.");
        if (!isHuge) return (byte*)mapped;
        var before = (nuint)(-mapped) & (HugeBytes - 1);
        var memory = (nuint)mapped + before;
        Free((byte*)mapped, before);
        Free((byte*)(memory + bytes), HugeBytes - before);
        return (byte*)memory;
    }

    /// <summary>Memory as <see cref="Allocate"/> gives it, in huge pages.</summary>
    public static byte* AllocateHuge(nuint bytes)
    {
        var memory = Allocate(bytes);
        UseHugePages(memory, bytes);
        return memory;
    }

    /// <summary>Has huge pages take the place of those that memory has, whose content is lost.</summary>
    public static void UseHugePages(byte* memory, nuint bytes)
    {
        if (bytes < HugeBytes) return;
        // Where either is refused, the small pages do.
        _ = LibC.MAdvise((nint)memory, bytes, LibC.MADV_DONTNEED);
        _ = LibC.MAdvise((nint)memory, bytes, LibC.MADV_HUGEPAGE);
    }

    /// <summary>Gives memory back.</summary>
    public static void Free(byte* memory, nuint bytes)
    {
        if (memory is not null && bytes > 0) _ = LibC.MUnmap((nint)memory, bytes);
    }
}
