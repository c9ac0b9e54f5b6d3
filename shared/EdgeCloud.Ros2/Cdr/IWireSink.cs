namespace EdgeCloud.Ros2.Cdr;

/// <summary>
/// Takes what <see cref="CdrWalker"/> reads, in the order of the definition. Implemented by structs, so that each
/// walk is compiled for its sink. Values arrive in the machine's byte order, blocks as they are in the payload.
/// </summary>
internal interface IWireSink
{
    /// <summary>A number of 1 byte.</summary>
    void Bits1(in WireOp op, byte bits);

    /// <summary>A number of 2 bytes.</summary>
    void Bits2(in WireOp op, ushort bits);

    /// <summary>A number of 4 bytes.</summary>
    void Bits4(in WireOp op, uint bits);

    /// <summary>A number of 8 bytes.</summary>
    void Bits8(in WireOp op, ulong bits);

    /// <summary>A time or duration.</summary>
    void Time(in WireOp op, int seconds, uint nanoseconds);

    /// <summary>Text without its terminating zero; may be invalid UTF-8.</summary>
    void Text(in WireOp op, ReadOnlySpan<byte> utf8);

    /// <summary>Wide text.</summary>
    /// <param name="op">Step.</param>
    /// <param name="units">UTF-16 code units, each in <paramref name="unitSize"/> bytes.</param>
    /// <param name="unitSize">2 or 4.</param>
    /// <param name="swap">Whether the units are in the other byte order.</param>
    void WideText(in WireOp op, ReadOnlySpan<byte> units, int unitSize, bool swap);

    /// <summary>All elements of an array of numbers.</summary>
    /// <param name="op">Step.</param>
    /// <param name="block">The elements' bytes.</param>
    /// <param name="swap">Whether they are in the other byte order.</param>
    void Numbers(in WireOp op, ReadOnlySpan<byte> block, bool swap);

    /// <summary>The elements of a list follow.</summary>
    void BeginList(in WireOp op, int count);

    /// <summary>All elements were given.</summary>
    void EndList(in WireOp op);

    /// <summary>The members of a struct follow.</summary>
    void BeginStruct(in WireOp op);

    /// <summary>All members were given.</summary>
    void EndStruct(in WireOp op);

    /// <summary>The payload leaves the value out (optional, or from a writer with an older definition).</summary>
    void Missing(in WireOp op);

    /// <summary>Forget what was given of this message: it will be walked again, or not at all.</summary>
    void Restart();
}
