namespace EdgeCloud.Ros2.Definitions;

/// <summary>How a struct may evolve, which decides its framing in XCDR2 and parameter lists (DDS-XTypes 1.3, 7.2.2.4.4.4).</summary>
public enum Extensibility : byte
{
    /// <summary>Not annotated: follows the payload's encapsulation. ROS 2 definitions never annotate it.</summary>
    Unspecified,

    /// <summary><c>@final</c>: members back to back.</summary>
    Final,

    /// <summary><c>@appendable</c>: preceded by its size in XCDR2.</summary>
    Appendable,

    /// <summary><c>@mutable</c>: each member carries its id and size.</summary>
    Mutable,
}

/// <summary>One field of a message.</summary>
public sealed record FieldDefinition
{
    /// <summary>Name as written.</summary>
    public required string Name { get; init; }

    /// <summary>Type with names resolved.</summary>
    public required FieldType Type { get; init; }

    /// <summary>Default as written (string defaults without their quotes), or null.</summary>
    public string? Default { get; init; }

    /// <summary>Comment lines joined by newlines, or null.</summary>
    public string? Comment { get; init; }

    /// <summary>Unit from a comment such as <c># [m/s]</c> or from <c>@unit</c>, or null.</summary>
    public string? Unit { get; init; }

    /// <summary>Member id in parameter lists (<c>@id</c>, else counted from the previous one).</summary>
    public int MemberId { get; init; }

    /// <summary><c>@optional</c> (IDL only).</summary>
    public bool IsOptional { get; init; }

    /// <summary>Line in its own definition text, from 1.</summary>
    public int Line { get; init; }
}

/// <summary>One constant of a message.</summary>
/// <param name="Name">Name as written.</param>
/// <param name="Type">A primitive or string.</param>
/// <param name="Value"><see cref="bool"/>, <see cref="long"/>, <see cref="ulong"/>, <see cref="double"/> or <see cref="string"/>.</param>
/// <param name="Comment">Comment lines joined by newlines, or null.</param>
public sealed record ConstantDefinition(string Name, FieldType Type, object Value, string? Comment);

/// <summary>A message: what one .msg file, one IDL struct or one part of a service says.</summary>
public sealed record MessageDefinition
{
    /// <summary>The member that IDL puts into a struct without members; on the wire it is one byte.</summary>
    public const string EmptyMember = "structure_needs_at_least_one_member";

    /// <summary>Full name, <c>pkg/msg/Name</c>.</summary>
    public required string Name { get; init; }

    /// <summary>Fields in wire order. Empty for an empty message, whose one dummy byte is not listed.</summary>
    public required IReadOnlyList<FieldDefinition> Fields { get; init; }

    /// <summary>Constants in the order of the text.</summary>
    public IReadOnlyList<ConstantDefinition> Constants { get; init; } = [];

    /// <summary>Comment at the head of the file or struct, or null.</summary>
    public string? Comment { get; init; }

    /// <summary>From IDL annotations.</summary>
    public Extensibility Extensibility { get; init; }
}

/// <summary>An IDL enumeration.</summary>
/// <param name="Name">Full name, <c>pkg/msg/Name</c>.</param>
/// <param name="Members">Names and values in order.</param>
/// <param name="Size">Bytes on the wire: 4, or 1 or 2 with a small <c>@bit_bound</c>.</param>
public sealed record EnumDefinition(string Name, IReadOnlyList<KeyValuePair<string, int>> Members, int Size);
