using System.Security.Cryptography;

namespace EdgeCloud.Agent.Wal;

/// <summary>
/// The ETag that S3 gives an object: up to the single-PUT limit its MD5; of a larger one the MD5 of its parts' MD5s, with a dash and their number.
/// Which of the two it will be shows only at the end, so both are kept until the limit is passed.
/// </summary>
internal sealed class ETagHash(long singlePutBytes, int partBytes) : IDisposable
{
    private readonly IncrementalHash _whole = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
    private readonly IncrementalHash _part = IncrementalHash.CreateHash(HashAlgorithmName.MD5);
    private readonly List<byte> _parts = [];
    private int _inPart;

    /// <summary>MD5s of the parts, lower-case hexadecimal, once the hash has ended; none of an object that goes up in one request.</summary>
    public IReadOnlyList<string> Parts { get; private set; } = [];

    /// <summary>Bytes added.</summary>
    public long Bytes { get; private set; }

    /// <summary>Adds the next bytes of the object.</summary>
    public void Add(ReadOnlySpan<byte> data)
    {
        while (data.Length > 0)
        {
            var piece = data[..Math.Min(data.Length, partBytes - _inPart)];
            if (Bytes < singlePutBytes) _whole.AppendData(piece); // once over the limit nobody asks for it
            // The first part is the beginning of the whole as long as there is only one.
            if (_parts.Count > 0 || partBytes > singlePutBytes) _part.AppendData(piece);
            Bytes += piece.Length;
            _inPart += piece.Length;
            data = data[piece.Length..];
            if (_inPart == partBytes) EndPart();
        }
    }

    /// <summary>The ETag without quotes. Ends the hash.</summary>
    public string Finish()
    {
        if (Bytes <= singlePutBytes) return Convert.ToHexStringLower(_whole.GetHashAndReset());
        if (_inPart > 0) EndPart();
        var parts = _parts.ToArray();
        Parts = [.. parts.Chunk(MD5.HashSizeInBytes).Select(Convert.ToHexStringLower)];
        return $"{Convert.ToHexStringLower(MD5.HashData(parts))}-{parts.Length / MD5.HashSizeInBytes}";
    }

    private void EndPart()
    {
        _parts.AddRange(_parts.Count == 0 && partBytes <= singlePutBytes ? _whole.GetCurrentHash() : _part.GetHashAndReset());
        _inPart = 0;
    }

    public void Dispose()
    {
        _whole.Dispose();
        _part.Dispose();
    }
}
