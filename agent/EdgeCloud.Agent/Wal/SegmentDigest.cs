using System.Security.Cryptography;

namespace EdgeCloud.Agent.Wal;

/// <summary>SHA-256 of a segment, from its final bytes. It may lag behind: bytes that do not follow on what it has are left out, and are given again later.</summary>
internal sealed class SegmentDigest : IDisposable
{
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    /// <summary>Bytes that the hash has.</summary>
    public long Bytes { get; private set; }

    /// <summary>Adds bytes of the file if they follow on those that the hash has.</summary>
    /// <param name="offset">Where the bytes lie.</param>
    /// <param name="data">The bytes.</param>
    public void Add(long offset, ReadOnlySpan<byte> data)
    {
        if (Bytes < offset || Bytes >= offset + data.Length) return;
        data = data[(int)(Bytes - offset)..];
        _sha256.AppendData(data);
        Bytes += data.Length;
    }

    /// <summary>The SHA-256, lower-case hexadecimal. Ends the digest.</summary>
    public string Finish() => Convert.ToHexStringLower(_sha256.GetHashAndReset());

    public void Dispose() => _sha256.Dispose();
}
