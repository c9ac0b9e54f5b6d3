using System.Buffers;
using System.Numerics;

namespace EdgeCloud.Export;

/// <summary>
/// Memory for what is read ahead, decompressed and sent, handed from segment to segment, file to file and part to part: all parts that a
/// process makes side by side draw on one pool. Arrays of megabytes that are thrown away stay until a full collection, which comes
/// only when as much again was allocated; and <see cref="ArrayPool{T}.Shared"/> keeps some for every thread that ever returned one.
/// </summary>
/// <remarks>It never refuses. What comes back beyond <see cref="KeptBytesMax"/> is left to the garbage collector.</remarks>
public sealed class LargeBuffers : ArrayPool<byte>
{
    /// <summary>Smaller ones are not worth a lock.</summary>
    private const int LengthMin = 64 << 10;

    /// <summary>What two parts have in use at once.</summary>
    private const long KeptBytesMax = 96L << 20;

    private readonly Lock _gate = new();
    private readonly Dictionary<int, Stack<byte[]>> _kept = [];
    private long _keptBytes;

    private LargeBuffers()
    {
    }

    /// <summary>The pool of the process.</summary>
    public static LargeBuffers Pool { get; } = new();

    /// <inheritdoc/>
    public override byte[] Rent(int minimumLength)
    {
        if (minimumLength < LengthMin)
            return Shared.Rent(minimumLength);
        var length = (int)Math.Min(BitOperations.RoundUpToPowerOf2((uint)minimumLength), (uint)Array.MaxLength);
        lock (_gate)
        {
            if (_kept.TryGetValue(length, out var kept) && kept.TryPop(out var buffer))
            {
                _keptBytes -= length;
                return buffer;
            }
        }
        return GC.AllocateUninitializedArray<byte>(length);
    }

    /// <inheritdoc/>
    public override void Return(byte[] array, bool clearArray = false)
    {
        if (array.Length < LengthMin)
        {
            Shared.Return(array, clearArray);
            return;
        }
        if (clearArray)
            Array.Clear(array);
        lock (_gate)
        {
            if (_keptBytes + array.Length > KeptBytesMax)
                return;
            if (!_kept.TryGetValue(array.Length, out var kept))
                _kept[array.Length] = kept = new Stack<byte[]>();
            kept.Push(array);
            _keptBytes += array.Length;
        }
    }
}
