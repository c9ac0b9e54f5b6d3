using System.Security.Cryptography;
using EdgeCloud.Mcap;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// SHA-256, the CRC32 of MCAP's data section, and the ETag that S3 will give the object, from one pass over the final bytes. Both may lag behind,
/// the ETag more than the SHA-256: bytes that do not follow on what a hash has are left out, and are given again later.
/// </summary>
internal sealed class SegmentDigest(long singlePutBytes, int partBytes) : IDisposable
{
    private readonly IncrementalHash _sha256 = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly ETagHash _etag = new(singlePutBytes, partBytes);
    private long _sha256Bytes;

    /// <summary>Bytes that all hashes have.</summary>
    public long Bytes => Math.Min(_sha256Bytes, _etag.Bytes);

    /// <summary>CRC32 of the bytes that the SHA-256 has.</summary>
    public uint Crc { get; private set; }

    /// <summary>See <see cref="ETagHash.Parts"/>.</summary>
    public IReadOnlyList<string> PartMd5s => _etag.Parts;

    /// <summary>Adds bytes of the file to those hashes that they follow on.</summary>
    /// <param name="offset">Where the bytes lie.</param>
    /// <param name="data">The bytes.</param>
    /// <param name="withETag">False to leave the ETag for later.</param>
    public void Add(long offset, ReadOnlySpan<byte> data, bool withETag)
    {
        if (TryFollow(_sha256Bytes, offset, data, out var forSha256))
        {
            _sha256.AppendData(forSha256);
            Crc = Crc32.Append(Crc, forSha256);
            _sha256Bytes += forSha256.Length;
        }

        if (withETag && TryFollow(_etag.Bytes, offset, data, out var forETag)) _etag.Add(forETag);
    }

    /// <summary>Adds the next bytes of the file to all hashes.</summary>
    public void Add(ReadOnlySpan<byte> data) => Add(Bytes, data, withETag: true);

    /// <summary>SHA-256 and ETag, lower-case hexadecimal. Ends the digest.</summary>
    public (string Sha256, string ETag) Finish()
    {
        if (_sha256Bytes != _etag.Bytes) throw new InvalidOperationException($"The SHA-256 has {_sha256Bytes} bytes and the ETag {_etag.Bytes}.");
        return (Convert.ToHexStringLower(_sha256.GetHashAndReset()), _etag.Finish());
    }

    /// <summary>The part of some bytes that follows on the first <paramref name="have"/> of the file; false when there is none.</summary>
    private static bool TryFollow(long have, long offset, ReadOnlySpan<byte> data, out ReadOnlySpan<byte> part)
    {
        part = have >= offset && have < offset + data.Length ? data[(int)(have - offset)..] : default;
        return part.Length > 0;
    }

    public void Dispose()
    {
        _sha256.Dispose();
        _etag.Dispose();
    }
}
