using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.Columns;

/// <summary>What a column holds.</summary>
public enum ColumnKind : byte
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>1 byte.</summary>
    Int8,

    /// <summary>1 byte.</summary>
    UInt8,

    /// <summary>2 bytes.</summary>
    Int16,

    /// <summary>2 bytes.</summary>
    UInt16,

    /// <summary>4 bytes.</summary>
    Int32,

    /// <summary>4 bytes.</summary>
    UInt32,

    /// <summary>8 bytes.</summary>
    Int64,

    /// <summary>8 bytes.</summary>
    UInt64,

    /// <summary>4 bytes.</summary>
    Float32,

    /// <summary>8 bytes.</summary>
    Float64,

    /// <summary>8 bytes: signed nanoseconds since the Unix epoch (or of simulated time).</summary>
    Timestamp,

    /// <summary>8 bytes: signed nanoseconds.</summary>
    Duration,

    /// <summary>UTF-8, always valid; wide text is converted.</summary>
    Text,

    /// <summary>Any number of <see cref="ColumnType.Items"/> in each row.</summary>
    List,

    /// <summary><see cref="ColumnType.Size"/> of <see cref="ColumnType.Items"/> in each row.</summary>
    FixedList,

    /// <summary><see cref="ColumnType.Fields"/>; only as items of a list, because elsewhere structs are flattened.</summary>
    Struct,
}

/// <summary>The type of a column.</summary>
public sealed record ColumnType
{
    /// <summary>What it holds.</summary>
    public required ColumnKind Kind { get; init; }

    /// <summary>What a list holds.</summary>
    public ColumnType? Items { get; init; }

    /// <summary>Items in each row of a fixed list.</summary>
    public int Size { get; init; }

    /// <summary>What a struct is made of, flattened as the top level is.</summary>
    public IReadOnlyList<ColumnInfo> Fields { get; init; } = [];

    /// <summary>Names of the values, where the number is an IDL enumeration.</summary>
    public EnumDefinition? Enum { get; init; }

    /// <summary>Bytes of one number; 0 for what is no number.</summary>
    public int Width => Kind switch
    {
        ColumnKind.Bool or ColumnKind.Int8 or ColumnKind.UInt8 => 1,
        ColumnKind.Int16 or ColumnKind.UInt16 => 2,
        ColumnKind.Int32 or ColumnKind.UInt32 or ColumnKind.Float32 => 4,
        < ColumnKind.Text => 8,
        _ => 0,
    };

    /// <summary>Whether each row is a run of bytes (<c>uint8[]</c>, <c>byte[]</c>): images, point clouds. Formats with a binary type use it.</summary>
    public bool IsBytes => Kind == ColumnKind.List && Items!.Kind == ColumnKind.UInt8;

    /// <summary>For example <c>list&lt;float64&gt;</c>.</summary>
    public override string ToString() => Kind switch
    {
        ColumnKind.List => $"list<{Items}>",
        ColumnKind.FixedList => $"list<{Items}>[{Size}]",
        ColumnKind.Struct => $"struct<{string.Join(", ", Fields.Select(field => $"{field.Name} {field.Type}"))}>",
        _ => Kind.ToString().ToLowerInvariant(),
    };
}

/// <summary>A column: its name, type, and what the definition says about it.</summary>
/// <param name="Name">Path with dots, for example <c>pose.position.x</c>.</param>
/// <param name="Type">Type.</param>
/// <param name="Unit">Unit from the definition's comment, for example <c>m/s</c>, or null.</param>
/// <param name="Comment">Comment from the definition, or null.</param>
public sealed record ColumnInfo(string Name, ColumnType Type, string? Unit = null, string? Comment = null);
