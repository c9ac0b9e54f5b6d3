using EdgeCloud.Ros2.Json;

namespace EdgeCloud.Ros2.Columns;

/// <summary>Turns payloads of an encoding other than CDR into rows.</summary>
internal abstract class RowReader
{
    /// <summary>What a row consists of.</summary>
    public abstract IReadOnlyList<ColumnInfo> Columns { get; }

    /// <summary>Adds a row to the columns. When it throws, they may have got part of it.</summary>
    /// <exception cref="FormatException">The payload is damaged.</exception>
    public abstract void Append(ReadOnlySpan<byte> payload, IReadOnlyList<Column> columns);

    /// <summary>Runs of bytes.</summary>
    protected static ColumnType Bytes { get; } = new() { Kind = ColumnKind.List, Items = new ColumnType { Kind = ColumnKind.UInt8 } };
}

/// <summary>Payloads as they are.</summary>
internal sealed class ByteRows : RowReader
{
    public override IReadOnlyList<ColumnInfo> Columns { get; } = [new("data", Bytes)];

    public override void Append(ReadOnlySpan<byte> payload, IReadOnlyList<Column> columns) =>
        ((ListColumn)columns[0]).AppendBlock(payload, swap: false);
}

/// <summary>Payloads that are JSON: checked, and put on one line.</summary>
internal sealed class TextRows : RowReader
{
    private readonly PlainJson _json = new();

    public override IReadOnlyList<ColumnInfo> Columns { get; } = [new("json", new ColumnType { Kind = ColumnKind.Text })];

    public override void Append(ReadOnlySpan<byte> payload, IReadOnlyList<Column> columns)
    {
        lock (_json)
            ((TextColumn)columns[0]).Append(_json.Write(payload));
    }
}
