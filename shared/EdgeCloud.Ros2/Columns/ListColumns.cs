namespace EdgeCloud.Ros2.Columns;

/// <summary>Lists of any length: the items of all rows in one column, with the place where each row starts.</summary>
public sealed class ListColumn : Column
{
    private int[] _offsets = new int[1];

    internal ListColumn(ColumnType type, Column items)
        : base(type) => Items = items;

    /// <summary>Items of all rows.</summary>
    public Column Items { get; }

    /// <summary>Where each row starts in <see cref="Items"/>, and where the last one ends: one more than rows.</summary>
    public ReadOnlySpan<int> Offsets => _offsets.AsSpan(0, Count + 1);

    /// <summary>Adds a row of numbers.</summary>
    public void AppendBlock(ReadOnlySpan<byte> block, bool swap)
    {
        ((NumberColumn)Items).AppendBlock(block, swap);
        CloseRow(Items.Count);
    }

    /// <summary>Adds a row whose items follow.</summary>
    internal void Open(int count)
    {
        CloseRow(checked(_offsets[Count] + count));
        (Items as StructColumn)?.Add(count);
    }

    /// <summary>Ends a row whose items were added to <see cref="Items"/>.</summary>
    internal void CloseRow() => CloseRow(Items.Count);

    private void CloseRow(int end)
    {
        Reserve(ref _offsets, Count + 1, 1);
        _offsets[++Count] = end;
    }

    private protected override void AppendValueFrom(Column source, int row)
    {
        var list = (ListColumn)source;
        CopyItems(list.Items, list._offsets[row], list._offsets[row + 1] - list._offsets[row], Items);
        CloseRow(Items.Count);
    }

    /// <summary>Copies a run of items.</summary>
    internal static void CopyItems(Column source, int from, int count, Column target)
    {
        if (source is NumberColumn numbers && source.MissingRows.IsEmpty)
        {
            int width = numbers.Type.Width;
            ((NumberColumn)target).AppendBlock(numbers.Bytes.Slice(from * width, count * width), swap: false);
            return;
        }

        for (int i = from; i < from + count; i++)
            target.AppendFrom(source, i);
    }

    private protected override void AppendDefault() => CloseRow(_offsets[Count]);

    private protected override void TruncateValues(int count) => Items.Truncate(_offsets[count]);
}

/// <summary>Lists of one length: the items of all rows in one column.</summary>
public sealed class FixedListColumn : Column
{
    internal FixedListColumn(ColumnType type, Column items)
        : base(type) => Items = items;

    /// <summary>Items of all rows: <see cref="Column.Count"/> times the type's size.</summary>
    public Column Items { get; }

    /// <summary>Adds a row of numbers.</summary>
    internal void AppendBlock(ReadOnlySpan<byte> block, bool swap)
    {
        ((NumberColumn)Items).AppendBlock(block, swap);
        Count++;
    }

    /// <summary>Adds a row whose items follow.</summary>
    internal void Open()
    {
        Count++;
        (Items as StructColumn)?.Add(Type.Size);
    }

    private protected override void AppendValueFrom(Column source, int row)
    {
        ListColumn.CopyItems(((FixedListColumn)source).Items, row * Type.Size, Type.Size, Items);
        Count++;
    }

    private protected override void AppendDefault()
    {
        for (int i = 0; i < Type.Size; i++)
            Items.AppendMissing();
        Count++;
    }

    private protected override void TruncateValues(int count) => Items.Truncate(count * Type.Size);
}

/// <summary>Structs as items of a list.</summary>
public sealed class StructColumn : Column
{
    private readonly Column[] _fields;

    internal StructColumn(ColumnType type, Column[] fields)
        : base(type) => _fields = fields;

    /// <summary>One column for each of the type's fields, all of <see cref="Column.Count"/> rows.</summary>
    public IReadOnlyList<Column> Fields => _fields;

    /// <summary>Counts rows whose fields follow.</summary>
    internal void Add(int count) => Count += count;

    private protected override void AppendValueFrom(Column source, int row)
    {
        for (int i = 0; i < _fields.Length; i++)
            _fields[i].AppendFrom(((StructColumn)source)._fields[i], row);
        Count++;
    }

    private protected override void AppendDefault()
    {
        foreach (Column field in _fields)
            field.AppendMissing();
        Count++;
    }

    private protected override void TruncateValues(int count)
    {
        foreach (Column field in _fields)
            field.Truncate(count);
    }
}
