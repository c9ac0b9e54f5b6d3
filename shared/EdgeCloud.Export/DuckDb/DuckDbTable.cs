using System.Runtime.InteropServices;
using EdgeCloud.Export.Tables;
using EdgeCloud.Ros2.Columns;
using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Export.DuckDb;

/// <summary>Rows offered to DuckDB as a table function without parameters, which pulls them batch by batch, once.</summary>
internal sealed unsafe class DuckDbTable : IDisposable
{
    /// <summary>Name of the function.</summary>
    public const string Function = "rows_of_table";

    private readonly TableRows _rows;
    private readonly GCHandle _self;

    private DuckDbTable(TableRows rows)
    {
        _rows = rows;
        _self = GCHandle.Alloc(this);
    }

    /// <summary>What the rows threw while DuckDB pulled them; DuckDB's own error is its consequence.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Registers the function with a session.</summary>
    public static DuckDbTable Register(DuckDbSession session, TableRows rows)
    {
        var table = new DuckDbTable(rows);
        var function = NativeDuckDb.CreateTableFunction();
        NativeDuckDb.SetName(function, Function);
        NativeDuckDb.SetExtraInfo(function, GCHandle.ToIntPtr(table._self), IntPtr.Zero);
        NativeDuckDb.SetBind(function, &Bind);
        NativeDuckDb.SetInit(function, &Init);
        NativeDuckDb.SetFunction(function, &Fill);
        var state = NativeDuckDb.Register(session.Connection, function);
        NativeDuckDb.DestroyTableFunction(ref function);
        return state == 0 ? table : throw new ExportException("DuckDB does not take the table function.");
    }

    public void Dispose() => _self.Free();

    [UnmanagedCallersOnly]
    private static void Bind(IntPtr info)
    {
        var table = (DuckDbTable)GCHandle.FromIntPtr(NativeDuckDb.BindExtraInfo(info)).Target!;
        foreach (var column in table._rows.Columns)
        {
            var type = DuckDbTypes.Create(column.Type);
            NativeDuckDb.AddResultColumn(info, column.Name, type);
            NativeDuckDb.DestroyLogicalType(ref type);
        }
    }

    [UnmanagedCallersOnly]
    private static void Init(IntPtr info) => NativeDuckDb.SetMaxThreads(info, 1); // rows have an order

    [UnmanagedCallersOnly]
    private static void Fill(IntPtr info, IntPtr chunk)
    {
        var table = (DuckDbTable)GCHandle.FromIntPtr(NativeDuckDb.FunctionExtraInfo(info)).Target!;
        try
        {
            if (!table._rows.MoveNext())
            {
                NativeDuckDb.SetChunkSize(chunk, 0);
                return;
            }
            for (var i = 0; i < table._rows.Batch.Count; i++)
                DuckDbVectors.FillColumn(NativeDuckDb.ChunkVector(chunk, (ulong)i), table._rows.Batch[i], table._rows.Rows);
            NativeDuckDb.SetChunkSize(chunk, (ulong)table._rows.Rows);
        }
        catch (Exception e) // must not pass through native code; whoever ran the statement rethrows it
        {
            table.Failure = e;
            NativeDuckDb.SetFunctionError(info, e.Message);
        }
    }
}

/// <summary>Column types as DuckDB's.</summary>
internal static unsafe class DuckDbTypes
{
    private const int Blob = 18;
    private const ulong ArraySizeMax = 100_000; // DuckDB's limit

    /// <summary>Makes a type, which the caller destroys.</summary>
    public static IntPtr Create(ColumnType type)
    {
        switch (type.Kind)
        {
            case ColumnKind.List when type.IsBytes:
                return NativeDuckDb.CreateLogicalType(Blob);
            case ColumnKind.List:
            case ColumnKind.FixedList:
                var item = Create(type.Items!);
                var list = IsArray(type) ? NativeDuckDb.CreateArrayType(item, (ulong)type.Size) : NativeDuckDb.CreateListType(item);
                NativeDuckDb.DestroyLogicalType(ref item);
                return list;
            case ColumnKind.Struct:
                return CreateStruct(type);
            default:
                return NativeDuckDb.CreateLogicalType(Number(type.Kind));
        }
    }

    /// <summary>Whether a fixed list is an array of DuckDB; others are lists.</summary>
    public static bool IsArray(ColumnType type) => type.Kind == ColumnKind.FixedList && type.Size is > 0 && (ulong)type.Size <= ArraySizeMax;

    private static IntPtr CreateStruct(ColumnType type)
    {
        // Neither DuckDB nor Parquet has structs of nothing; ROS 2 has the same byte in them.
        IReadOnlyList<ColumnInfo> members = type.Fields.Count > 0 ? type.Fields : [new(MessageDefinition.EmptyMember, new ColumnType { Kind = ColumnKind.UInt8 })];
        var fields = members.Select(f => Create(f.Type)).ToArray();
        var names = DistinctNames(members).Select(Marshal.StringToCoTaskMemUTF8).ToArray();
        IntPtr created;
        fixed (IntPtr* fieldTypes = fields, fieldNames = names)
            created = NativeDuckDb.CreateStructType(fieldTypes, fieldNames, (ulong)fields.Length);
        for (var i = 0; i < fields.Length; i++)
        {
            NativeDuckDb.DestroyLogicalType(ref fields[i]);
            Marshal.FreeCoTaskMem(names[i]);
        }
        return created;
    }

    /// <summary>Names of a struct's fields; DuckDB does not tell capitals from small letters.</summary>
    private static IEnumerable<string> DistinctNames(IReadOnlyList<ColumnInfo> fields)
    {
        var names = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var field in fields)
        {
            var name = field.Name;
            while (!names.Add(name))
                name += "_";
            yield return name;
        }
    }

    private static int Number(ColumnKind kind) => kind switch
    {
        ColumnKind.Bool => 1,
        ColumnKind.Int8 => 2,
        ColumnKind.Int16 => 3,
        ColumnKind.Int32 => 4,
        ColumnKind.Int64 or ColumnKind.Duration => 5, // Parquet has no type for spans of time; the unit is in the metadata
        ColumnKind.UInt8 => 6,
        ColumnKind.UInt16 => 7,
        ColumnKind.UInt32 => 8,
        ColumnKind.UInt64 => 9,
        ColumnKind.Float32 => 10,
        ColumnKind.Float64 => 11,
        ColumnKind.Timestamp => 22, // TIMESTAMP_NS
        _ => 17, // VARCHAR
    };
}

/// <summary>Fills DuckDB's vectors from columns. Texts are not copied: they stay the column's until the batch has been taken.</summary>
internal static unsafe class DuckDbVectors
{
    private const int InlineBytes = 12;

    [StructLayout(LayoutKind.Sequential)]
    private struct StringT
    {
        public uint Length;
        public fixed byte Prefix[4];
        public byte* Pointer;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct ListEntry
    {
        public ulong Offset, Length;
    }

    /// <summary>Writes a column of a batch. A text that is the same in every row, such as a session or a frame, is one value.</summary>
    public static void FillColumn(IntPtr vector, Column column, int rows)
    {
        if (column is TextColumn { MissingRows.IsEmpty: true } text && rows > 1 && IsConstant(text, rows))
        {
            var value = NativeDuckDb.CreateText(Start(text.Bytes), (ulong)text[0].Length);
            NativeDuckDb.ReferenceValue(vector, value);
            NativeDuckDb.DestroyValue(ref value);
            return;
        }
        Fill(vector, column, 0, rows);
    }

    private static bool IsConstant(TextColumn text, int rows)
    {
        for (var row = 1; row < rows; row++)
        {
            if (!text[row].SequenceEqual(text[0]))
                return false;
        }
        return true;
    }

    // Columns keep their values in pinned arrays.
    private static byte* Start(ReadOnlySpan<byte> bytes) =>
        (byte*)System.Runtime.CompilerServices.Unsafe.AsPointer(ref MemoryMarshal.GetReference(bytes));

    /// <summary>Writes rows of a column to the start of a vector.</summary>
    private static void Fill(IntPtr vector, Column column, int from, int to)
    {
        switch (column)
        {
            case NumberColumn numbers:
                var width = numbers.Type.Width;
                numbers.Bytes[(from * width)..(to * width)].CopyTo(new Span<byte>(NativeDuckDb.VectorData(vector), (to - from) * width));
                break;
            case TextColumn text:
                FillTexts(vector, text.Bytes, text.Offsets[from..(to + 1)]);
                break;
            case ListColumn { Type.IsBytes: true } bytes:
                FillTexts(vector, ((NumberColumn)bytes.Items).Bytes, bytes.Offsets[from..(to + 1)]);
                break;
            case ListColumn list:
                FillList(vector, list.Items, list.Offsets[from..(to + 1)]);
                break;
            case FixedListColumn array when DuckDbTypes.IsArray(array.Type):
                Fill(NativeDuckDb.ArrayChild(vector), array.Items, from * array.Type.Size, to * array.Type.Size);
                break;
            case FixedListColumn array:
                FillList(vector, array.Items, [.. Enumerable.Range(from, to - from + 1).Select(row => row * array.Type.Size)]);
                break;
            case StructColumn { Fields.Count: 0 }:
                new Span<byte>(NativeDuckDb.VectorData(NativeDuckDb.StructChild(vector, 0)), to - from).Clear();
                break;
            case StructColumn structs:
                for (var i = 0; i < structs.Fields.Count; i++)
                    Fill(NativeDuckDb.StructChild(vector, (ulong)i), structs.Fields[i], from, to);
                break;
        }
        FillValidity(vector, column.MissingRows, from, to);
    }

    private static void FillValidity(IntPtr vector, ReadOnlySpan<int> missing, int from, int to)
    {
        ulong* validity = null;
        foreach (var row in missing)
        {
            if (row < from || row >= to)
                continue;
            if (validity is null)
            {
                NativeDuckDb.EnsureValidity(vector);
                validity = NativeDuckDb.Validity(vector);
            }
            validity[(row - from) / 64] &= ~(1UL << ((row - from) % 64));
        }
    }

    private static void FillTexts(IntPtr vector, ReadOnlySpan<byte> bytes, ReadOnlySpan<int> offsets)
    {
        var target = (StringT*)NativeDuckDb.VectorData(vector);
        var start = Start(bytes);
        for (var i = 0; i + 1 < offsets.Length; i++)
        {
            var length = offsets[i + 1] - offsets[i];
            var text = bytes.Slice(offsets[i], length);
            target[i].Length = (uint)length;
            if (length <= InlineBytes)
            {
                var inline = new Span<byte>(target[i].Prefix, InlineBytes);
                inline.Clear();
                text.CopyTo(inline);
                continue;
            }
            text[..4].CopyTo(new Span<byte>(target[i].Prefix, 4));
            target[i].Pointer = start + offsets[i];
        }
    }

    private static void FillList(IntPtr vector, Column items, ReadOnlySpan<int> offsets)
    {
        var entries = (ListEntry*)NativeDuckDb.VectorData(vector);
        for (var i = 0; i + 1 < offsets.Length; i++)
            entries[i] = new ListEntry { Offset = (ulong)(offsets[i] - offsets[0]), Length = (ulong)(offsets[i + 1] - offsets[i]) };
        var count = (ulong)(offsets[^1] - offsets[0]);
        NativeDuckDb.ListReserve(vector, count);
        NativeDuckDb.ListSetSize(vector, count);
        if (count > 0)
            Fill(NativeDuckDb.ListChild(vector), items, offsets[0], offsets[^1]);
    }
}
