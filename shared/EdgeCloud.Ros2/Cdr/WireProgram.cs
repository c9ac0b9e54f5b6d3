using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.Cdr;

/// <summary>What one step of a <see cref="WireProgram"/> reads.</summary>
internal enum WireCode : byte
{
    /// <summary>One number of 1 byte.</summary>
    Bits1,

    /// <summary>One number of 2 bytes.</summary>
    Bits2,

    /// <summary>One number of 4 bytes.</summary>
    Bits4,

    /// <summary>One number of 8 bytes.</summary>
    Bits8,

    /// <summary>ROS time or duration: int32 seconds and uint32 nanoseconds.</summary>
    Time,

    /// <summary>UTF-8 text.</summary>
    Text,

    /// <summary>UTF-16 text.</summary>
    WideText,

    /// <summary>An array or sequence of numbers, read as one block.</summary>
    Numbers,

    /// <summary>An array or sequence of anything else; the steps up to <see cref="WireOp.End"/> read one element.</summary>
    List,

    /// <summary>A struct; the steps up to <see cref="WireOp.End"/> read its members.</summary>
    Struct,

    /// <summary>A member of a parameter list.</summary>
    Member,

    /// <summary>An optional member outside a parameter list.</summary>
    Optional,
}

/// <summary>What precedes a struct's members.</summary>
internal enum Framing : byte
{
    /// <summary>Nothing.</summary>
    None,

    /// <summary>XCDR2: the size.</summary>
    Size,

    /// <summary>XCDR1: each member has a header, a sentinel ends the list.</summary>
    List1,

    /// <summary>XCDR2: the size, and each member has a header.</summary>
    List2,
}

/// <summary>One step. Steps of nested structs follow their parent's; nothing is looked up while reading.</summary>
internal readonly record struct WireOp
{
    public WireCode Code { get; init; }

    /// <summary>What the number or element is; Int32, Int16 or Int8 for an enumeration.</summary>
    public FieldKind Kind { get; init; }

    /// <summary>Alignment of the number or element in bytes.</summary>
    public byte Align { get; init; }

    /// <summary>Bytes of the number or element.</summary>
    public byte Size { get; init; }

    /// <summary>What precedes a struct's members.</summary>
    public Framing Framing { get; init; }

    /// <summary>XCDR2: the collection's size in bytes precedes it.</summary>
    public bool HasSize { get; init; }

    /// <summary>Where the sink wants the value, or -1 to pass over it.</summary>
    public int Slot { get; init; }

    /// <summary>The step after this one and all that belong to it.</summary>
    public int End { get; init; }

    /// <summary>Elements of a fixed array; -1 where the payload says.</summary>
    public int Count { get; init; }

    /// <summary>The only element that the sink wants, or -1 for all.</summary>
    public int Only { get; init; }

    /// <summary>Fewest bytes that one element can take, at least 1: bounds what a count may claim.</summary>
    public int MinSize { get; init; }

    /// <summary>Bytes that a sink may spend on this value where the payload leaves it out.</summary>
    public int Fill { get; init; }

    /// <summary>Id of a <see cref="WireCode.Member"/>; index of the id table of a parameter list.</summary>
    public int Id { get; init; }
}

/// <summary>What a reader wants of a message.</summary>
/// <param name="SlotOf">Slot of a path (<c>transforms[].header.frame_id</c>), or -1.</param>
/// <param name="WantsStructs">Whether structs are announced to the sink, too.</param>
/// <param name="OnlyOf">The only wanted element of the list at a path, or -1.</param>
internal sealed record WireShape(Func<string, int> SlotOf, bool WantsStructs, Func<string, int>? OnlyOf = null);

/// <summary>The steps that read one message type in one <see cref="WireForm"/>, for one <see cref="WireShape"/>.</summary>
/// <param name="Ops">Steps.</param>
/// <param name="Paths">Path of each step, for errors.</param>
/// <param name="MemberTables">Ids of parameter lists to the ordinal of their <see cref="WireCode.Member"/> step.</param>
/// <param name="HasWideText">Whether wide text occurs, whose form must be found out.</param>
internal sealed record WireProgram(WireOp[] Ops, string[] Paths, Dictionary<int, int>[] MemberTables, bool HasWideText);
