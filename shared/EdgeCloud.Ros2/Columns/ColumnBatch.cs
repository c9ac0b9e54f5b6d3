using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.Columns;

/// <summary>
/// Rows of decoded messages. Appending allocates nothing once the buffers have grown to a batch's size;
/// <see cref="Clear"/> keeps them. Not for several threads at once.
/// </summary>
public sealed class ColumnBatch
{
    private readonly ColumnPlan _plan;
    private readonly Column[] _columns;
    private readonly Column[] _slots;
    private int _nextSlot;

    internal ColumnBatch(ColumnPlan plan)
    {
        _plan = plan;
        _slots = new Column[plan.SlotCount];
        _columns = [.. plan.Columns.Select(info => Column.Create(info.Type))];
        foreach (Column column in _columns)
            GiveSlots(column, hasSlot: true);
    }

    /// <summary>One column for each of the plan's, all of <see cref="Rows"/> rows.</summary>
    public IReadOnlyList<Column> Columns => _columns;

    /// <summary>Messages in the batch.</summary>
    public int Rows { get; private set; }

    /// <summary>Adds one message as a row.</summary>
    /// <param name="payload">The message's data; CDR with its 4-byte encapsulation header.</param>
    /// <exception cref="CdrException">The payload does not fit the definition; the batch is as before.</exception>
    /// <exception cref="FormatException">A payload of another encoding is damaged; the batch is as before.</exception>
    public void Append(ReadOnlySpan<byte> payload)
    {
        if (_plan.Reader is { } reader)
        {
            var sink = new ColumnSink(this);
            reader.Read(payload, ref sink);
        }
        else
        {
            AppendOther(payload);
        }

        Rows++;
    }

    /// <summary>Adds a row without values, for a message that cannot be decoded.</summary>
    public void AppendMissing()
    {
        foreach (Column column in _columns)
            column.AppendMissing();
        Rows++;
    }

    /// <summary>Removes all rows and keeps the buffers.</summary>
    public void Clear()
    {
        Rows = 0;
        Rollback();
    }

    private void Rollback()
    {
        foreach (Column column in _columns)
            column.Truncate(Rows);
    }

    private void AppendOther(ReadOnlySpan<byte> payload)
    {
        try
        {
            _plan.Rows!.Append(payload, _columns);
        }
        catch
        {
            Rollback();
            throw;
        }
    }

    /// <summary>Gives columns their slots in the order in which the plan gave them out.</summary>
    private void GiveSlots(Column column, bool hasSlot)
    {
        if (_slots.Length == 0)
            return;
        if (hasSlot && column is not StructColumn)
            _slots[_nextSlot++] = column;
        switch (column)
        {
            case ListColumn list:
                GiveSlots(list.Items, !IsBlock(list.Items.Type));
                break;
            case FixedListColumn list:
                GiveSlots(list.Items, !IsBlock(list.Items.Type));
                break;
            case StructColumn structs:
                foreach (Column field in structs.Fields)
                    GiveSlots(field, hasSlot: true);
                break;
        }
    }

    private static bool IsBlock(ColumnType items) => items.Width > 0 && items.Kind is not (ColumnKind.Timestamp or ColumnKind.Duration);

    private readonly struct ColumnSink(ColumnBatch batch) : IWireSink
    {
        private readonly Column[] _slots = batch._slots;

        public void Bits1(in WireOp op, byte bits) =>
            Number(op).Append(op.Kind == FieldKind.Bool && bits != 0 ? (byte)1 : bits);

        public void Bits2(in WireOp op, ushort bits) => Number(op).Append(bits);

        public void Bits4(in WireOp op, uint bits) => Number(op).Append(bits);

        public void Bits8(in WireOp op, ulong bits) => Number(op).Append(bits);

        public void Time(in WireOp op, int seconds, uint nanoseconds) =>
            Number(op).Append((seconds * 1_000_000_000L) + nanoseconds);

        public void Text(in WireOp op, ReadOnlySpan<byte> utf8) => ((TextColumn)_slots[op.Slot]).Append(utf8);

        public void WideText(in WireOp op, ReadOnlySpan<byte> units, int unitSize, bool swap) =>
            ((TextColumn)_slots[op.Slot]).AppendWide(units, unitSize, swap);

        public void Numbers(in WireOp op, ReadOnlySpan<byte> block, bool swap)
        {
            if (_slots[op.Slot] is ListColumn list)
                list.AppendBlock(block, swap);
            else
                ((FixedListColumn)_slots[op.Slot]).AppendBlock(block, swap);
        }

        public void BeginList(in WireOp op, int count)
        {
            if (_slots[op.Slot] is ListColumn list)
                list.Open(count);
            else
                ((FixedListColumn)_slots[op.Slot]).Open();
        }

        public void EndList(in WireOp op)
        {
        }

        public void BeginStruct(in WireOp op)
        {
        }

        public void EndStruct(in WireOp op)
        {
        }

        public void Missing(in WireOp op) => _slots[op.Slot].AppendMissing();

        public void Restart() => batch.Rollback();

        private NumberColumn Number(in WireOp op) => (NumberColumn)_slots[op.Slot];
    }
}
