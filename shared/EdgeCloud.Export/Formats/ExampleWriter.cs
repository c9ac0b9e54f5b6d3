using System.Runtime.InteropServices;
using System.Text;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Formats;

/// <summary>Rows as <c>tf.train.Example</c> (tensorflow/core/example/feature.proto), features in the order of <see cref="TfFeatures"/>.</summary>
internal sealed class ExampleWriter(IReadOnlyList<ColumnInfo> columns)
{
    private const byte LengthDelimited1 = 0x0A, LengthDelimited2 = 0x12;
    private const byte BytesList = 0x0A, FloatList = 0x12, Int64List = 0x1A;

    private readonly FeatureTree[] _features = [.. columns.Select(column => new FeatureTree(column.Name, column.Type))];
    private readonly TextBuffer _body = new();
    private readonly TextBuffer _list = new();
    private readonly TextBuffer _packed = new();

    /// <summary>A column or a part of one: the names of its features.</summary>
    private sealed class FeatureTree(string name, ColumnType type)
    {
        public byte[] Name { get; } = Encoding.UTF8.GetBytes(name);
        public byte[] Lengths { get; } = Encoding.UTF8.GetBytes($"{name}/lengths");
        public FeatureTree? Items { get; } = type.Items is { } items ? new FeatureTree(name, items) : null;
        public FeatureTree[] Fields { get; } = [.. type.Fields.Select(field => new FeatureTree($"{name}.{field.Name}", field.Type))];
    }

    /// <summary>Encodes a row.</summary>
    /// <returns>Length of the example, which <see cref="CopyTo"/> gives until the next row.</returns>
    public int Encode(IReadOnlyList<Column> batch, int row)
    {
        _body.Clear();
        for (var i = 0; i < _features.Length; i++)
        {
            if (!batch[i].IsMissing(row))
                Append(_features[i], batch[i], row, row + 1, isOuter: true);
        }
        return 1 + VarintBytes(_body.Length) + _body.Length;
    }

    /// <summary>Copies the row that was encoded last to where its example belongs.</summary>
    public void CopyTo(Span<byte> target)
    {
        target[0] = LengthDelimited1;
        var at = 1 + WriteVarint(target[1..], (ulong)_body.Length);
        _body.Written.Span.CopyTo(target[at..]);
    }

    private void Append(FeatureTree feature, Column column, int from, int to, bool isOuter)
    {
        switch (column)
        {
            case NumberColumn numbers:
                AppendNumbers(feature.Name, numbers, from, to);
                break;
            case TextColumn text:
                _list.Clear();
                for (var i = from; i < to; i++)
                    AppendBytes(text[i]);
                AppendFeature(feature.Name, BytesList);
                break;
            case ListColumn { Type.IsBytes: true } bytes when isOuter:
                AppendFeature(feature.Name, BytesList, ((NumberColumn)bytes.Items).Bytes[bytes.Offsets[from]..bytes.Offsets[to]]);
                break;
            case ListColumn list:
                if (!isOuter || list.Items is StructColumn)
                    AppendLengths(feature.Lengths, list.Offsets[from..(to + 1)]);
                Append(feature.Items!, list.Items, list.Offsets[from], list.Offsets[to], isOuter: false);
                break;
            case FixedListColumn list:
                Append(feature.Items!, list.Items, from * list.Type.Size, to * list.Type.Size, isOuter: false);
                break;
            case StructColumn structs:
                for (var i = 0; i < structs.Fields.Count; i++)
                    Append(feature.Fields[i], structs.Fields[i], from, to, isOuter: false);
                break;
        }
    }

    private void AppendNumbers(byte[] name, NumberColumn column, int from, int to)
    {
        _list.Clear();
        switch (column.Type.Kind)
        {
            case ColumnKind.Float32:
                AppendFeature(name, FloatList, MemoryMarshal.AsBytes(column.Values<float>()[from..to]));
                return;
            case ColumnKind.Float64:
                AppendRounded(column.Values<double>()[from..to]);
                AppendFeature(name, FloatList);
                return;
        }
        _packed.Clear();
        for (var i = from; i < to; i++)
            AppendVarint(_packed, (ulong)Integer(column, i));
        AppendBytes(_packed.Written.Span);
        AppendFeature(name, Int64List);
    }

    private static long Integer(NumberColumn column, int i) => column.Type.Kind switch
    {
        ColumnKind.Bool or ColumnKind.UInt8 => column.Bytes[i],
        ColumnKind.Int8 => column.Values<sbyte>()[i],
        ColumnKind.Int16 => column.Values<short>()[i],
        ColumnKind.UInt16 => column.Values<ushort>()[i],
        ColumnKind.Int32 => column.Values<int>()[i],
        ColumnKind.UInt32 => column.Values<uint>()[i],
        _ => column.Values<long>()[i],
    };

    private void AppendRounded(ReadOnlySpan<double> values)
    {
        _packed.Clear();
        var floats = MemoryMarshal.Cast<byte, float>(_packed.Reserve(4 * values.Length));
        for (var i = 0; i < values.Length; i++)
            floats[i] = (float)values[i];
        AppendBytes(MemoryMarshal.AsBytes(floats[..values.Length]));
    }

    private void AppendLengths(byte[] name, ReadOnlySpan<int> offsets)
    {
        _packed.Clear();
        for (var i = 1; i < offsets.Length; i++)
            AppendVarint(_packed, (ulong)(offsets[i] - offsets[i - 1]));
        _list.Clear();
        AppendBytes(_packed.Written.Span);
        AppendFeature(name, Int64List);
    }

    /// <summary>Field 1 of a list: a text, a run of bytes, or numbers packed.</summary>
    private void AppendBytes(ReadOnlySpan<byte> bytes)
    {
        _list.Append(LengthDelimited1);
        AppendVarint(_list, (ulong)bytes.Length);
        _list.Append(bytes);
    }

    /// <summary>An entry of the map: key, and a feature of the list that was built.</summary>
    private void AppendFeature(byte[] name, byte kind)
    {
        BeginFeature(name, kind, _list.Length);
        _body.Append(_list.Written.Span);
    }

    /// <summary>An entry of the map: key, and a feature of a list of one item, which may be an image and is not copied twice.</summary>
    private void AppendFeature(byte[] name, byte kind, ReadOnlySpan<byte> item)
    {
        BeginFeature(name, kind, 1 + VarintBytes(item.Length) + item.Length);
        _body.Append(LengthDelimited1);
        AppendVarint(_body, (ulong)item.Length);
        _body.Append(item);
    }

    private void BeginFeature(byte[] name, byte kind, int listBytes)
    {
        var feature = 1 + VarintBytes(listBytes) + listBytes;
        var entry = 1 + VarintBytes(name.Length) + name.Length + 1 + VarintBytes(feature) + feature;
        _body.Append(LengthDelimited1);
        AppendVarint(_body, (ulong)entry);
        _body.Append(LengthDelimited1);
        AppendVarint(_body, (ulong)name.Length);
        _body.Append(name);
        _body.Append(LengthDelimited2);
        AppendVarint(_body, (ulong)feature);
        _body.Append(kind);
        AppendVarint(_body, (ulong)listBytes);
    }

    private static int VarintBytes(int value) => value < 1 << 7 ? 1 : value < 1 << 14 ? 2 : value < 1 << 21 ? 3 : value < 1 << 28 ? 4 : 5;

    private static void AppendVarint(TextBuffer target, ulong value)
    {
        target.Advance(WriteVarint(target.Reserve(10), value));
    }

    private static int WriteVarint(Span<byte> target, ulong value)
    {
        var at = 0;
        for (; value >= 0x80; value >>= 7)
            target[at++] = (byte)(value | 0x80);
        target[at++] = (byte)value;
        return at;
    }
}
