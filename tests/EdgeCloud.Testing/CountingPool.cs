using System.Buffers;
using System.Collections.Concurrent;

namespace EdgeCloud.Testing;

/// <summary>Makes every array anew, of just the length asked for, and knows which of them are out.</summary>
public sealed class CountingPool : ArrayPool<byte>
{
    private readonly ConcurrentDictionary<byte[], bool> _out = new();
    private int _rented;

    /// <summary>Arrays that are out.</summary>
    public int Out => _out.Count;

    /// <summary>Arrays that were ever asked for.</summary>
    public int Rented => _rented;

    /// <inheritdoc/>
    public override byte[] Rent(int minimumLength)
    {
        var array = new byte[minimumLength];
        Interlocked.Increment(ref _rented);
        _out[array] = true;
        return array;
    }

    /// <inheritdoc/>
    public override void Return(byte[] array, bool clearArray = false)
    {
        if (!_out.TryRemove(array, out _))
            throw new InvalidOperationException($"An array of {array.Length} bytes was given back that is not out.");
    }
}
