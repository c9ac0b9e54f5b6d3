using System.Buffers.Binary;
using System.Security.Cryptography;

namespace EdgeCloud.Agent.Sources.Ros;

/// <summary>
/// Two subscriptions to one topic for a moment: the first is about to end, the second takes its place. Where messages carry no numbers, they
/// are told apart by their bytes. In doubt a message is recorded twice rather than not at all.
/// </summary>
internal sealed class Overlap
{
    private readonly List<Entry> _unmatched = [];
    private long _number, _lastMatched;
    private bool _firstEnded;

    /// <summary>A message that only one of the two has delivered so far.</summary>
    private readonly record struct Entry(UInt128 Digest, bool BySecond, long Number);

    /// <summary>True when the first subscription brings a message that the second has not brought before.</summary>
    public bool IsNewOfFirst(ReadOnlySpan<byte> payload) => IsNew(payload, bySecond: false);

    /// <summary>True when the second subscription brings a message that the first has not brought before.</summary>
    public bool IsNewOfSecond(ReadOnlySpan<byte> payload) => IsNew(payload, bySecond: true);

    /// <summary>
    /// The first subscription is gone. What it brought before the last message that both brought, the second never got, because its
    /// publishers did not know it yet; what it brought after that, the second may still bring.
    /// </summary>
    public void FirstEnded()
    {
        _firstEnded = true;
        _unmatched.RemoveAll(e => e.BySecond || e.Number < _lastMatched);
    }

    private bool IsNew(ReadOnlySpan<byte> payload, bool bySecond)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(payload, hash);
        var digest = BinaryPrimitives.ReadUInt128LittleEndian(hash);
        _number++;
        // Equal messages: the second misses the earliest, so the latest is the one that is meant.
        var at = _unmatched.FindLastIndex(e => e.BySecond != bySecond && e.Digest == digest);
        if (at >= 0)
        {
            _lastMatched = Math.Max(_lastMatched, _unmatched[at].Number);
            _unmatched.RemoveAt(at);
            return false;
        }
        if (!_firstEnded)
            _unmatched.Add(new Entry(digest, bySecond, _number));
        return true;
    }
}
