using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Tables;

/// <summary>The rows of one table of a part, batch by batch, pulled by the format that writes them. Not thread-safe.</summary>
internal abstract class TableRows
{
    /// <summary>Most rows of a batch: what DuckDB takes at once, and little enough to stay in the processor's cache.</summary>
    public const int BatchRows = 2048;

    /// <summary>A batch ends with the message that reaches this, so that it is a message longer at most.</summary>
    public const int BatchBytes = 2 << 20;

    /// <summary>The columns of every batch.</summary>
    public abstract IReadOnlyList<ColumnInfo> Columns { get; }

    /// <summary>The batch's columns; valid until the next.</summary>
    public abstract IReadOnlyList<Column> Batch { get; }

    /// <summary>Rows of the batch.</summary>
    public abstract int Rows { get; }

    /// <summary>Rows of all batches so far.</summary>
    public long RowsRead { get; protected set; }

    /// <summary>Time of the first row of all, ns.</summary>
    public ulong FirstNs { get; protected set; } = ulong.MaxValue;

    /// <summary>Greatest time of a row so far, ns.</summary>
    public ulong LastNs { get; protected set; }

    /// <summary>Decodes the next batch; false after the last.</summary>
    public abstract bool MoveNext();
}
