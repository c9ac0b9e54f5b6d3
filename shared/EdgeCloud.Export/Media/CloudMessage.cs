using System.Text;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Media;

/// <summary>A field of a point.</summary>
/// <param name="Name">Name.</param>
/// <param name="Offset">Bytes from the start of the point.</param>
/// <param name="Type">1 to 8: int8, uint8, int16, uint16, int32, uint32, float32, float64.</param>
/// <param name="Count">How many of them.</param>
internal readonly record struct PointField(string Name, int Offset, byte Type, int Count)
{
    /// <summary>Bytes of one.</summary>
    public int Size => Type switch { 1 or 2 => 1, 3 or 4 => 2, 5 or 6 or 7 => 4, _ => 8 };

    /// <summary>NumPy's letter: <c>u</c>, <c>i</c> or <c>f</c>.</summary>
    public char Kind => Type switch { 7 or 8 => 'f', 2 or 4 or 6 => 'u', _ => 'i' };
}

/// <summary>How the points of a cloud are laid out; equal where the clouds can be one array.</summary>
internal sealed class CloudLayout(PointField[] fields, int pointStep, bool isBigEndian) : IEquatable<CloudLayout>
{
    /// <summary>Fields in order of offset.</summary>
    public IReadOnlyList<PointField> Fields => fields;

    /// <summary>Bytes of a point.</summary>
    public int PointStep => pointStep;

    public bool IsBigEndian => isBigEndian;

    public bool Equals(CloudLayout? other) =>
        other is not null && pointStep == other.PointStep && isBigEndian == other.IsBigEndian && fields.SequenceEqual(other.Fields);

    public override bool Equals(object? obj) => Equals(obj as CloudLayout);

    public override int GetHashCode() => HashCode.Combine(pointStep, isBigEndian, fields.Length);

    /// <summary>NumPy's structured type of a point; bytes between the fields are fields without names.</summary>
    public string Descr()
    {
        var text = new StringBuilder("[");
        var at = 0;
        foreach (var field in fields)
        {
            if (field.Offset > at)
                text.Append($"('', '|V{field.Offset - at}'), ");
            var order = field.Size == 1 ? '|' : isBigEndian ? '>' : '<';
            text.Append($"('{field.Name}', '{order}{field.Kind}{field.Size}'{(field.Count > 1 ? $", ({field.Count},)" : "")}), ");
            at = field.Offset + field.Size * field.Count;
        }
        if (pointStep > at)
            text.Append($"('', '|V{pointStep - at}'), ");
        return text.Append(']').ToString();
    }
}

/// <summary>A cloud whose figures fit together.</summary>
/// <param name="Height">Lines.</param>
/// <param name="Width">Points of a line.</param>
/// <param name="RowStep">Bytes from one line to the next.</param>
/// <param name="Layout">What a point is.</param>
/// <param name="Start">Where its first point lies among the column's bytes.</param>
internal readonly record struct CloudMessage(int Height, int Width, int RowStep, CloudLayout Layout, int Start);

/// <summary>Where the fields of <c>sensor_msgs/msg/PointCloud2</c> are among the columns of a plan.</summary>
internal sealed class CloudFields
{
    private const int FieldsMax = 256;
    private readonly IReadOnlyList<ColumnInfo> _infos;
    private readonly int _height, _width, _fields, _order, _pointStep, _rowStep, _data;
    private CloudLayout? _last;

    private CloudFields(IReadOnlyList<ColumnInfo> columns)
    {
        _infos = columns;
        (_height, _width, _fields, _order) = (Find("height"), Find("width"), Find("fields"), Find("is_bigendian"));
        (_pointStep, _rowStep, _data) = (Find("point_step"), Find("row_step"), Find("data"));
    }

    /// <summary>The fields; null when some are not there or of another type.</summary>
    public static CloudFields? Of(IReadOnlyList<ColumnInfo> columns)
    {
        var found = new CloudFields(columns);
        int[] places = [found._height, found._width, found._fields, found._order, found._pointStep, found._rowStep, found._data];
        if (places.Min() < 0 || !columns[found._data].Type.IsBytes || columns[found._order].Type.Width != 1)
            return null;
        int[] words = [found._height, found._width, found._pointStep, found._rowStep];
        string[] wanted = ["name text", "offset uint32", "datatype uint8", "count uint32"];
        return words.All(w => columns[w].Type.Kind == ColumnKind.UInt32) && columns[found._fields].Type is { Kind: ColumnKind.List, Items: { Kind: ColumnKind.Struct } item }
            && item.Fields.Select(f => $"{f.Name} {f.Type}").SequenceEqual(wanted) ? found : null;
    }

    /// <summary>The cloud of a row; null when its values do not fit together.</summary>
    public CloudMessage? Read(IReadOnlyList<Column> columns, int row)
    {
        if (columns[_data].IsMissing(row))
            return null;
        var (height, width) = (Word(columns, _height, row), Word(columns, _width, row));
        var (pointStep, rowStep) = (Word(columns, _pointStep, row), Word(columns, _rowStep, row));
        var list = (ListColumn)columns[_data];
        var length = list.Offsets[row + 1] - list.Offsets[row];
        if (pointStep is 0 or > 1 << 20 || (height > 1 && rowStep < (long)width * pointStep))
            return null;
        if ((height == 0 ? 0 : (height - 1) * (long)rowStep) + (long)width * pointStep > length && height > 0 && width > 0)
            return null;
        return ReadLayout(columns, row, (int)pointStep) is { } layout
            ? new CloudMessage((int)height, height == 0 ? 0 : (int)width, (int)Math.Min(rowStep, int.MaxValue), layout, list.Offsets[row])
            : null;
    }

    /// <summary>The points of a line.</summary>
    public ReadOnlySpan<byte> Line(IReadOnlyList<Column> columns, in CloudMessage cloud, int line) =>
        ((NumberColumn)((ListColumn)columns[_data]).Items).Bytes.Slice(cloud.Start + line * cloud.RowStep, cloud.Width * cloud.Layout.PointStep);

    private CloudLayout? ReadLayout(IReadOnlyList<Column> columns, int row, int pointStep)
    {
        var list = (ListColumn)columns[_fields];
        var (from, to) = (list.Offsets[row], list.Offsets[row + 1]);
        var item = (StructColumn)list.Items;
        if (to - from > FieldsMax)
            return null;
        var fields = new PointField[to - from];
        for (var i = 0; i < fields.Length; i++)
        {
            var name = Encoding.UTF8.GetString(((TextColumn)item.Fields[0])[from + i]);
            var (offset, count) = (((NumberColumn)item.Fields[1]).Values<uint>()[from + i], ((NumberColumn)item.Fields[3]).Values<uint>()[from + i]);
            var type = ((NumberColumn)item.Fields[2]).Bytes[from + i];
            if (offset > 1 << 20 || count > 1 << 20 || type is 0 or > 8 || name.Length is 0 or > 64 || !name.All(c => char.IsAsciiLetterOrDigit(c) || c == '_'))
                return null;
            fields[i] = new PointField(name, (int)offset, type, Math.Max(1, (int)count));
        }
        Array.Sort(fields, (a, b) => a.Offset.CompareTo(b.Offset));
        var at = 0;
        foreach (var field in fields)
        {
            if (field.Offset < at || (long)field.Offset + (long)field.Size * field.Count > pointStep)
                return null;
            at = field.Offset + field.Size * field.Count;
        }
        if (fields.Select(f => f.Name).Distinct().Count() != fields.Length)
            return null;
        var layout = new CloudLayout(fields, pointStep, ((NumberColumn)columns[_order]).Bytes[row] != 0);
        return layout.Equals(_last) ? _last : _last = layout;
    }

    private static uint Word(IReadOnlyList<Column> columns, int column, int row) => ((NumberColumn)columns[column]).Values<uint>()[row];

    private int Find(string name)
    {
        for (var i = 0; i < _infos.Count; i++)
        {
            if (_infos[i].Name == name)
                return i;
        }
        return -1;
    }
}
