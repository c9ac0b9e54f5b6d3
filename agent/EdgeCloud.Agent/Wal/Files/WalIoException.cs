using System.Runtime.InteropServices;

namespace EdgeCloud.Agent.Wal;

/// <summary>What a refusal by the disk means for the log.</summary>
public enum WalFault
{
    /// <summary>No space or quota left (ENOSPC, EDQUOT, EFBIG). Goes away when space is freed.</summary>
    NoSpace,
    /// <summary>The device failed (EIO and its kin), or gave back something else than it was given. What was written to the file since its last sync is in doubt.</summary>
    Device,
    /// <summary>The file system became read-only (EROFS).</summary>
    ReadOnly,
    /// <summary>Anything else: rights, a missing folder, too many open files.</summary>
    Other,
}

/// <summary>The disk refused an operation of the log.</summary>
public sealed class WalIoException : IOException
{
    /// <summary>Makes the exception for an operating-system error number.</summary>
    public WalIoException(string operation, string path, int errno)
        : base($"{operation} of {path} failed: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})")
    {
        Operation = operation;
        Path = path;
        Fault = Classify(errno);
    }

    private WalIoException(string path, string found)
        : base($"{path} {found}: the disk lost something, or somebody changed the file")
    {
        Operation = "reading back";
        Path = path;
        Fault = WalFault.Device;
    }

    /// <summary>A file reads back as something else than was written and synced.</summary>
    /// <param name="path">The file.</param>
    /// <param name="found">What it does instead, as a predicate.</param>
    public static WalIoException Altered(string path, string found) => new(path, found);

    /// <summary>What failed, such as the system call.</summary>
    public string Operation { get; }

    /// <summary>The file or folder.</summary>
    public string Path { get; }

    /// <summary>What it means.</summary>
    public WalFault Fault { get; }

    /// <summary>Linux error numbers by what the log does about them.</summary>
    private static WalFault Classify(int errno) => errno switch
    {
        28 or 122 or 27 => WalFault.NoSpace,          // ENOSPC, EDQUOT, EFBIG
        5 or 6 or 19 or 117 or 121 => WalFault.Device, // EIO, ENXIO, ENODEV, EUCLEAN, EREMOTEIO
        30 => WalFault.ReadOnly,                      // EROFS
        _ => WalFault.Other,
    };
}
