using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace EdgeCloud.Ros2.Columns;

/// <summary>
/// Values of one column, row after row, laid out as Arrow does (without padding), which Parquet writers, DuckDB and
/// NumPy take as it is. Buffers grow by doubling and are kept when cleared.
/// </summary>
public abstract class Column
{
    private readonly List<int> _missing = [];

    private protected Column(ColumnType type) => Type = type;

    /// <summary>What the column holds.</summary>
    public ColumnType Type { get; }

    /// <summary>Rows.</summary>
    public int Count { get; private protected set; }

    /// <summary>Rows without a value, ascending; they hold zero, empty text or an empty list. Usually none.</summary>
    public ReadOnlySpan<int> MissingRows => CollectionsMarshal.AsSpan(_missing);

    /// <summary>An empty column.</summary>
    public static Column Create(ColumnType type) => type.Kind switch
    {
        ColumnKind.Text => new TextColumn(type),
        ColumnKind.List => new ListColumn(type, Create(type.Items!)),
        ColumnKind.FixedList => new FixedListColumn(type, Create(type.Items!)),
        ColumnKind.Struct => new StructColumn(type, [.. type.Fields.Select(field => Create(field.Type))]),
        _ => new NumberColumn(type),
    };

    /// <summary>Adds a row without a value.</summary>
    public void AppendMissing()
    {
        _missing.Add(Count);
        AppendDefault();
    }

    /// <summary>Whether a row has no value.</summary>
    public bool IsMissing(int row) => _missing.Count > 0 && _missing.BinarySearch(row) >= 0;

    /// <summary>Adds what another column of the same type has in a row.</summary>
    public void AppendFrom(Column source, int row)
    {
        if (source.IsMissing(row))
            AppendMissing();
        else
            AppendValueFrom(source, row);
    }

    /// <summary>Removes all rows and keeps the buffers.</summary>
    public void Clear() => Truncate(0);

    /// <summary>Keeps the first rows only.</summary>
    internal void Truncate(int count)
    {
        int keep = _missing.Count;
        while (keep > 0 && _missing[keep - 1] >= count)
            keep--;
        _missing.RemoveRange(keep, _missing.Count - keep);
        TruncateValues(count);
        Count = count;
    }

    private protected abstract void AppendDefault();

    private protected abstract void AppendValueFrom(Column source, int row);

    private protected abstract void TruncateValues(int count);

    /// <summary>Makes room for more items, doubling the buffer.</summary>
    private protected static void Reserve<T>(ref T[] buffer, int used, long more)
    {
        long needed = used + more;
        if (needed <= buffer.Length)
            return;
        if (needed > Array.MaxLength)
            throw new InvalidOperationException($"a column would hold more than {Array.MaxLength} items; clear the batch after fewer messages");
        // Pinned, so that native writers take the values where they are.
        T[] larger = GC.AllocateUninitializedArray<T>(
            (int)Math.Min(Array.MaxLength, Math.Max(needed, Math.Max(256, 2L * buffer.Length))), pinned: true);
        buffer.AsSpan(0, used).CopyTo(larger);
        buffer = larger;
    }
}

/// <summary>Numbers of one width.</summary>
public sealed class NumberColumn : Column
{
    private readonly int _width;
    private byte[] _bytes = [];
    private int _used;

    internal NumberColumn(ColumnType type)
        : base(type) => _width = type.Width;

    /// <summary>The values' bytes in the machine's order: <see cref="Column.Count"/> times the type's width.</summary>
    public ReadOnlySpan<byte> Bytes => _bytes.AsSpan(0, _used);

    /// <summary>The values.</summary>
    /// <typeparam name="T">A number as wide as the column's type.</typeparam>
    /// <exception cref="ArgumentException"><typeparamref name="T"/> has another width.</exception>
    public ReadOnlySpan<T> Values<T>()
        where T : unmanaged
        => Unsafe.SizeOf<T>() == _width
            ? MemoryMarshal.Cast<byte, T>(Bytes)
            : throw new ArgumentException($"{typeof(T).Name} is not {_width} bytes wide as {Type} is");

    /// <summary>A value as the nearest 64-bit floating-point number; truth values are 0 and 1, times nanoseconds.</summary>
    public double Number(int row) => Type.Kind switch
    {
        ColumnKind.Bool or ColumnKind.UInt8 => _bytes[row],
        ColumnKind.Int8 => (sbyte)_bytes[row],
        ColumnKind.Int16 => Values<short>()[row],
        ColumnKind.UInt16 => Values<ushort>()[row],
        ColumnKind.Int32 => Values<int>()[row],
        ColumnKind.UInt32 => Values<uint>()[row],
        ColumnKind.UInt64 => Values<ulong>()[row],
        ColumnKind.Float32 => Values<float>()[row],
        ColumnKind.Float64 => Values<double>()[row],
        _ => Values<long>()[row],
    };

    /// <summary>Adds one number, which must be as wide as the column's.</summary>
    public void Append<T>(T value)
        where T : unmanaged
    {
        if (_used + Unsafe.SizeOf<T>() > _bytes.Length)
            Reserve(ref _bytes, _used, Unsafe.SizeOf<T>());
        Unsafe.WriteUnaligned(ref Unsafe.Add(ref MemoryMarshal.GetArrayDataReference(_bytes), _used), value);
        _used += Unsafe.SizeOf<T>();
        Count++;
    }

    /// <summary>Adds a block of numbers.</summary>
    /// <param name="block">Their bytes, a whole number of them.</param>
    /// <param name="swap">Whether they are in the other byte order.</param>
    public void AppendBlock(ReadOnlySpan<byte> block, bool swap)
    {
        Reserve(ref _bytes, _used, block.Length);
        Span<byte> target = _bytes.AsSpan(_used, block.Length);
        block.CopyTo(target);
        if (swap)
            Swap(target);
        if (Type.Kind == ColumnKind.Bool)
            Normalise(target);
        _used += block.Length;
        Count += block.Length / _width;
    }

    private void Swap(Span<byte> bytes)
    {
        switch (_width)
        {
            case 2:
                Span<ushort> shorts = MemoryMarshal.Cast<byte, ushort>(bytes);
                BinaryPrimitives.ReverseEndianness(shorts, shorts);
                break;
            case 4:
                Span<uint> words = MemoryMarshal.Cast<byte, uint>(bytes);
                BinaryPrimitives.ReverseEndianness(words, words);
                break;
            case 8:
                Span<ulong> longs = MemoryMarshal.Cast<byte, ulong>(bytes);
                BinaryPrimitives.ReverseEndianness(longs, longs);
                break;
        }
    }

    private static void Normalise(Span<byte> bools)
    {
        foreach (ref byte value in bools)
            value = value == 0 ? (byte)0 : (byte)1;
    }

    private protected override void AppendValueFrom(Column source, int row) =>
        AppendBlock(((NumberColumn)source)._bytes.AsSpan(row * _width, _width), swap: false);

    private protected override void AppendDefault()
    {
        Reserve(ref _bytes, _used, _width);
        _bytes.AsSpan(_used, _width).Clear();
        _used += _width;
        Count++;
    }

    private protected override void TruncateValues(int count) => _used = count * _width;
}
