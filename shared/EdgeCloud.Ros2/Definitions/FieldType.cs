namespace EdgeCloud.Ros2.Definitions;

/// <summary>What one element of a field is, arrays aside. <c>char</c> of a .msg file is <see cref="UInt8"/>, as in rosidl.</summary>
public enum FieldKind : byte
{
    /// <summary>One byte, 0 or 1.</summary>
    Bool,

    /// <summary>IDL <c>octet</c>, <c>byte</c> of a .msg file: one unsigned byte.</summary>
    Byte,

    /// <summary>IDL <c>char</c>: one unsigned byte.</summary>
    Char,

    /// <summary>Signed, 1 byte.</summary>
    Int8,

    /// <summary>Unsigned, 1 byte.</summary>
    UInt8,

    /// <summary>Signed, 2 bytes.</summary>
    Int16,

    /// <summary>Unsigned, 2 bytes.</summary>
    UInt16,

    /// <summary>Signed, 4 bytes.</summary>
    Int32,

    /// <summary>Unsigned, 4 bytes.</summary>
    UInt32,

    /// <summary>Signed, 8 bytes.</summary>
    Int64,

    /// <summary>Unsigned, 8 bytes.</summary>
    UInt64,

    /// <summary>IEEE 754, 4 bytes.</summary>
    Float32,

    /// <summary>IEEE 754, 8 bytes.</summary>
    Float64,

    /// <summary>IDL <c>long double</c>. Parsed and hashed; not decoded, because vendors disagree about its bytes.</summary>
    LongDouble,

    /// <summary>IDL <c>wchar</c>. Parsed and hashed; not decoded, because vendors disagree about its bytes.</summary>
    WChar,

    /// <summary>UTF-8 text.</summary>
    String,

    /// <summary>UTF-16 text.</summary>
    WString,

    /// <summary>Another message; <see cref="FieldType.TypeName"/> says which.</summary>
    Message,

    /// <summary>IDL enumeration; <see cref="FieldType.TypeName"/> says which.</summary>
    Enum,
}

/// <summary>How many elements a field has.</summary>
public enum ArrayKind : byte
{
    /// <summary>One.</summary>
    None,

    /// <summary>Always <see cref="FieldType.ArraySize"/>.</summary>
    Fixed,

    /// <summary>At most <see cref="FieldType.ArraySize"/>.</summary>
    Bounded,

    /// <summary>Any number.</summary>
    Unbounded,
}

/// <summary>The type of a field or constant.</summary>
/// <param name="Kind">What one element is.</param>
/// <param name="TypeName">Full name (<c>pkg/msg/Name</c>) of a <see cref="FieldKind.Message"/> or <see cref="FieldKind.Enum"/>.</param>
/// <param name="StringBound">Most characters of a bounded string; 0 where unbounded.</param>
/// <param name="Array">How many elements.</param>
/// <param name="ArraySize">Elements of a fixed array, most elements of a bounded one, else 0.</param>
public sealed record FieldType(
    FieldKind Kind, string? TypeName = null, int StringBound = 0, ArrayKind Array = ArrayKind.None, int ArraySize = 0)
{
    /// <summary>The type of one element.</summary>
    public FieldType Element => Array == ArrayKind.None ? this : this with { Array = ArrayKind.None, ArraySize = 0 };

    /// <summary>The spelling of a .msg file, for example <c>string&lt;=8[&lt;=3]</c>.</summary>
    public override string ToString()
    {
        string name = Kind switch
        {
            FieldKind.Message or FieldKind.Enum => TypeName ?? "?",
            FieldKind.LongDouble => "long double",
            _ => Kind.ToString().ToLowerInvariant(),
        };
        string bound = StringBound > 0 ? $"<={StringBound}" : "";
        return name + bound + Array switch
        {
            ArrayKind.Fixed => $"[{ArraySize}]",
            ArrayKind.Bounded => $"[<={ArraySize}]",
            ArrayKind.Unbounded => "[]",
            _ => "",
        };
    }
}
