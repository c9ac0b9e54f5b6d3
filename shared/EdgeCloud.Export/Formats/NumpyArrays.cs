using System.Text;
using EdgeCloud.Export.Tables;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Formats;

/// <summary>
/// The arrays of one table. Numbers keep their type, times are <c>datetime64[ns]</c>, texts <c>str</c> where they are short. Lists of any
/// length are one array of all items and <c>NAME__offsets</c>: row i has the items from <c>offsets[i]</c> to <c>offsets[i + 1]</c>. Texts
/// that are long are such lists of UTF-8 bytes, <c>NAME__utf8</c>. Where values are missing, <c>NAME__valid</c> tells.
/// </summary>
internal sealed class NumpyArrays(Scratch scratch)
{
    private const int ShortText = 64;

    private readonly Dictionary<string, NumpyArray> _arrays = new(StringComparer.Ordinal);
    private readonly Dictionary<string, NumpyArray> _texts = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> _longest = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _lastOffsets = new(StringComparer.Ordinal);
    private readonly Dictionary<string, long> _rows = new(StringComparer.Ordinal);
    private readonly List<NumpyArray> _all = [];

    /// <summary>Adds rows of a column.</summary>
    /// <param name="name">Name of its array.</param>
    /// <param name="column">The column.</param>
    /// <param name="from">First row.</param>
    /// <param name="to">Row after the last.</param>
    /// <param name="dimensions">Lengths of fixed lists around it.</param>
    public void Append(string name, Column column, int from, int to, IReadOnlyList<int> dimensions)
    {
        AppendValidity(name, column, from, to, dimensions);
        AppendValues(name, column, from, to, dimensions);
    }

    // Items of a list have its name, but no validity of their own: where one is missing, its list is.
    private void AppendValues(string name, Column column, int from, int to, IReadOnlyList<int> dimensions)
    {
        switch (column)
        {
            case NumberColumn numbers:
                var width = numbers.Type.Width;
                Of(name, Descr(numbers.Type.Kind), dimensions, width).Write(numbers.Bytes[(from * width)..(to * width)]);
                break;
            case TextColumn text:
                AppendText(name, text, from, to, dimensions);
                break;
            case FixedListColumn list:
                AppendValues(name, list.Items, from * list.Type.Size, to * list.Type.Size, [.. dimensions, list.Type.Size]);
                break;
            case ListColumn list:
                AppendOffsets(name, list.Offsets[from..(to + 1)]);
                AppendValues(name, list.Items, list.Offsets[from], list.Offsets[to], []);
                break;
            case StructColumn structs:
                for (var i = 0; i < structs.Fields.Count; i++)
                    Append($"{name}.{structs.Type.Fields[i].Name}", structs.Fields[i], from, to, dimensions);
                break;
        }
    }

    /// <summary>The array of a name; new if there is none.</summary>
    public NumpyArray Of(string name, string descr, IReadOnlyList<int> dimensions, int itemBytes)
    {
        if (_arrays.TryGetValue(name, out var known))
            return known;
        var array = _arrays[name] = new NumpyArray(name, descr, dimensions, itemBytes, scratch);
        _all.Add(array);
        return array;
    }

    /// <summary>Adds where rows end, for lists given by their lengths or by their own offsets.</summary>
    public void AppendOffsets(string name, ReadOnlySpan<int> offsets)
    {
        var array = OffsetsOf(name, out var last);
        for (var i = 1; i < offsets.Length; i++)
            array.Write(last + offsets[i] - offsets[0]);
        _lastOffsets[name] = last + offsets[^1] - offsets[0];
    }

    private NumpyArray OffsetsOf(string name, out long last)
    {
        var isNew = !_lastOffsets.TryGetValue(name, out last);
        var array = Of($"{name}__offsets", "'<i8'", [], 8);
        if (isNew)
            array.Write(0);
        return array;
    }

    /// <summary>Leaves an array out.</summary>
    public void Remove(string name)
    {
        if (_arrays.Remove(name, out var array))
            _all.Remove(array);
    }

    /// <summary>Makes offsets of bytes offsets of items.</summary>
    public void DivideOffsets(string name, int itemBytes)
    {
        var bytes = _arrays[$"{name}__offsets"];
        Remove(bytes.Name);
        var items = Of(bytes.Name, bytes.Descr, [], bytes.ItemBytes);
        var reader = bytes.Read();
        while (reader.Take(8) is { Length: > 0 } offset)
            items.Write(BitConverter.ToInt64(offset.Span) / itemBytes);
    }

    /// <summary>Every array, texts in their final form, in order of first value.</summary>
    public IReadOnlyList<NumpyArray> Finish()
    {
        foreach (var (name, bytes) in _texts)
            FinishText(name, bytes);
        return [.. _all.OrderBy(a => a.Name, StringComparer.Ordinal)];
    }

    /// <summary>NumPy's name of a type, with quotes.</summary>
    public static string Descr(ColumnKind kind) => kind switch
    {
        ColumnKind.Bool => "'|b1'",
        ColumnKind.Int8 => "'|i1'",
        ColumnKind.UInt8 => "'|u1'",
        ColumnKind.Int16 => "'<i2'",
        ColumnKind.UInt16 => "'<u2'",
        ColumnKind.Int32 => "'<i4'",
        ColumnKind.UInt32 => "'<u4'",
        ColumnKind.Int64 => "'<i8'",
        ColumnKind.UInt64 => "'<u8'",
        ColumnKind.Float32 => "'<f4'",
        ColumnKind.Float64 => "'<f8'",
        ColumnKind.Timestamp => "'<M8[ns]'",
        ColumnKind.Duration => "'<m8[ns]'",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "is no number"),
    };

    /// <summary>Adds which rows of a column have a value.</summary>
    public void AppendValidity(string name, Column column, int from, int to, IReadOnlyList<int> dimensions)
    {
        var before = _rows.GetValueOrDefault(name);
        _rows[name] = before + to - from;
        var isKnown = _arrays.TryGetValue($"{name}__valid", out var valid);
        if (column.MissingRows.IsEmpty && !isKnown)
            return;
        valid ??= Of($"{name}__valid", "'|b1'", dimensions, 1);
        for (; !isKnown && before > 0; before--)
            valid.Write([1]);
        for (var row = from; row < to; row++)
            valid.Write([column.IsMissing(row) ? (byte)0 : (byte)1]);
    }

    private void AppendText(string name, TextColumn text, int from, int to, IReadOnlyList<int> dimensions)
    {
        if (!_texts.TryGetValue(name, out var bytes))
            _texts[name] = bytes = new NumpyArray($"{name}__utf8", "'|u1'", [], 1, scratch);
        bytes.Dimensions = dimensions; // until the text is finished, those of the texts themselves
        AppendOffsets($"{name}__utf8", text.Offsets[from..(to + 1)]);
        bytes.Write(text.Bytes[text.Offsets[from]..text.Offsets[to]]);
        var longest = _longest.GetValueOrDefault(name);
        for (var row = from; row < to; row++)
        {
            if (text[row].Length > longest)
                longest = Math.Max(longest, CodePoints(text[row]));
        }
        _longest[name] = longest;
    }

    private void FinishText(string name, NumpyArray bytes)
    {
        var longest = Math.Max(1, _longest[name]);
        if (longest > ShortText)
        {
            bytes.Dimensions = [];
            _all.Add(bytes);
            return;
        }
        var offsets = _arrays[$"{name}__utf8__offsets"];
        Remove(offsets.Name);
        var texts = new NumpyArray(name, $"'<U{longest}'", bytes.Dimensions, 4 * longest, scratch);
        _all.Add(texts);
        var (starts, reader) = (offsets.Read(), bytes.Read());
        var cell = new byte[4 * longest];
        var last = BitConverter.ToInt64(starts.Take(8).Span);
        while (starts.Take(8) is { Length: > 0 } next)
        {
            var end = BitConverter.ToInt64(next.Span);
            cell.AsSpan().Clear();
            Encoding.UTF32.GetBytes(Encoding.UTF8.GetString(reader.Take((int)(end - last)).Span), cell);
            texts.Write(cell);
            last = end;
        }
    }

    private static int CodePoints(ReadOnlySpan<byte> utf8)
    {
        var count = 0;
        foreach (var b in utf8)
            count += (b & 0xC0) == 0x80 ? 0 : 1;
        return count;
    }
}
