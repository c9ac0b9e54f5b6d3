using System.Buffers;

namespace EdgeCloud.Ros2.Cdr;

/// <summary>Structs with sizes and member headers, and values that a payload leaves out.</summary>
internal ref partial struct CdrWalker
{
    private const int ExtendedId = 0x3F01;
    private const int ListEnd = 0x3F02;
    private const int Ignored = 0x3F03;

    private void Struct<TSink>(int i, in WireOp op, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        if (op.Slot >= 0)
            sink.BeginStruct(in op);
        if (op.Framing == Framing.None)
            Walk(i + 1, op.End, ref sink);
        else if (op.Framing == Framing.Size)
            Sized(i, in op, ref sink);
        else
            Listed(i, in op, ref sink);
        if (op.Slot >= 0)
            sink.EndStruct(in op);
    }

    /// <summary>A writer with an older definition sends fewer members, one with a newer definition more (7.4.3.5.3, DELIMITED_CDR).</summary>
    private void Sized<TSink>(int i, in WireOp op, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        int outer = _limit;
        int end = Enter(i);
        int at = i + 1;
        while (at < op.End && _at < _limit)
        {
            int next = _ops[at].End;
            Walk(at, next, ref sink);
            at = next;
        }

        Missing(at, op.End, ref sink);
        Leave(end, outer);
    }

    /// <summary>Members come in any order, each with its id; unknown ones are passed over (PL_CDR and PL_CDR2).</summary>
    private void Listed<TSink>(int i, in WireOp op, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        int members = _program.MemberTables[op.Id].Count;
        int[] spans = ArrayPool<int>.Shared.Rent(Math.Max(2 * members, 1));
        try
        {
            int outer = _limit;
            int origin = _origin;
            int end = FindMembers(i, in op, spans.AsSpan(0, 2 * members));
            int ordinal = 0;
            for (int at = i + 1; at < op.End; at = _ops[at].End, ordinal++)
            {
                (int start, int stop) = (spans[2 * ordinal], spans[(2 * ordinal) + 1]);
                if (start < 0)
                {
                    Missing(at + 1, _ops[at].End, ref sink);
                    continue;
                }

                (_at, _limit) = (start, stop);
                if (!_isVersion2)
                    _origin = start; // XCDR1 counts alignment from each member's first byte
                Walk(at + 1, _ops[at].End, ref sink);
                _origin = origin;
            }

            Leave(end, outer);
        }
        finally
        {
            ArrayPool<int>.Shared.Return(spans);
        }
    }

    private void ListedTime<TSink>(int i, in WireOp op, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        Span<int> spans = stackalloc int[4];
        int outer = _limit;
        int end = FindMembers(i, in op, spans);
        uint seconds = ListedWord(i, spans[..2]);
        uint nanoseconds = ListedWord(i, spans[2..]);
        if (op.Slot >= 0)
            sink.Time(in op, (int)seconds, nanoseconds);
        Leave(end, outer);
    }

    private uint ListedWord(int i, scoped ReadOnlySpan<int> span)
    {
        if (span[0] < 0)
            return 0;
        (_at, _limit) = (span[0], span[1]);
        Take(i, 4);
        return Read<uint>();
    }

    /// <summary>Finds where each wanted member is. Returns where the struct ends.</summary>
    /// <param name="i">Step.</param>
    /// <param name="op">Step.</param>
    /// <param name="spans">Receives first byte and end of each member in the order of its steps; -1 where it is missing.</param>
    private int FindMembers(int i, scoped in WireOp op, scoped Span<int> spans)
    {
        spans.Fill(-1);
        Dictionary<int, int> table = _program.MemberTables[op.Id];
        if (op.Framing == Framing.List2)
        {
            int outer = _limit;
            int end = Enter(i);
            while (true)
            {
                Align(4);
                if (_at >= end)
                    break;
                (int id, int start, int stop) = Header2(i);
                Note(table, id, start, stop, spans);
                _at = stop;
            }

            _limit = outer;
            return end;
        }

        while (true)
        {
            (int id, int start, int stop) = Header1(i);
            if (id < 0)
                return _at;
            Note(table, id, start, stop, spans);
            _at = stop;
        }
    }

    private static void Note(Dictionary<int, int> table, int id, int start, int stop, scoped Span<int> spans)
    {
        if (table.TryGetValue(id, out int ordinal))
            (spans[2 * ordinal], spans[(2 * ordinal) + 1]) = (start, stop);
    }

    /// <summary>Parameter header of XCDR1 (7.4.1.2): 16-bit id and size, or 32-bit ones behind the extended id. Id -1 ends the list.</summary>
    private (int Id, int Start, int Stop) Header1(int i)
    {
        Align(4);
        Take(i, 4);
        int id = Read<ushort>() & 0x3FFF;
        _at += 2;
        long size = Read<ushort>();
        _at += 2;
        if (id == ListEnd)
            return (-1, _at, _at);
        if (id == ExtendedId)
        {
            Take(i, 8);
            id = (int)(Read<uint>() & 0x0FFF_FFFF);
            _at += 4;
            size = Read<uint>();
            _at += 4;
        }
        else if (id == Ignored)
        {
            id = int.MaxValue;
        }

        Take(i, size);
        return (id, _at, _at + (int)size);
    }

    /// <summary>Member header of XCDR2 (7.4.3.4.2): id and length code, then a length where the code asks for one.</summary>
    private (int Id, int Start, int Stop) Header2(int i)
    {
        Take(i, 4);
        uint header = Read<uint>();
        _at += 4;
        int id = (int)(header & 0x0FFF_FFFF);
        int code = (int)(header >> 28) & 7;
        int start = _at;
        long size = 1L << code;
        if (code >= 4)
        {
            Take(i, 4);
            long next = Read<uint>();

            // Codes 5 to 7 share the length with the member's own first word, which is read again with the member.
            size = code switch { 4 => next, 5 => 4 + next, 6 => 4 + (4 * next), _ => 4 + (8 * next) };
            if (code == 4)
                start = _at += 4;
        }

        Take(i, size);
        return (id, start, start + (int)size);
    }

    private void Optional<TSink>(int i, in WireOp op, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        if (_isVersion2)
        {
            Take(i, 1);
            bool isThere = _data[_at++] != 0;
            if (isThere)
                Walk(i + 1, op.End, ref sink);
            else
                Missing(i + 1, op.End, ref sink);
            return;
        }

        (_, int start, int stop) = Header1(i);
        (int outer, int origin) = (_limit, _origin);
        if (stop > start)
        {
            (_limit, _origin) = (stop, start);
            Walk(i + 1, op.End, ref sink);
            _origin = origin;
        }
        else
        {
            Missing(i + 1, op.End, ref sink);
        }

        Leave(stop, outer);
    }

    /// <summary>Tells the sink of every wanted value that is not there, within what the payload's size justifies.</summary>
    private void Missing<TSink>(int from, int to, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        for (int i = from; i < to;)
        {
            ref readonly WireOp op = ref _ops[i];
            if (op.Slot >= 0)
            {
                _fillLeft -= op.Fill;
                if (_fillLeft < 0)
                    throw Fault(i, "the payload leaves out more values than its size justifies");
                sink.Missing(in op);
            }

            bool isWrapper = op.Slot < 0 && op.Code is WireCode.Struct or WireCode.Member or WireCode.Optional;
            i = isWrapper ? i + 1 : op.End;
        }
    }
}
