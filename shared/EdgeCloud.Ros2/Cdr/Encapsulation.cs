namespace EdgeCloud.Ros2.Cdr;

/// <summary>How a payload lays out structs (DDS-XTypes 1.3, 7.4.3).</summary>
internal enum WireForm : byte
{
    /// <summary>XCDR1 PLAIN_CDR: what ROS 2 writes.</summary>
    Plain1,

    /// <summary>XCDR1 PL_CDR: structs are parameter lists.</summary>
    List1,

    /// <summary>XCDR2 PLAIN_CDR2: alignment at most 4.</summary>
    Plain2,

    /// <summary>XCDR2 DELIMITED_CDR: structs are preceded by their size.</summary>
    Delimited2,

    /// <summary>XCDR2 PL_CDR2: structs are preceded by their size, members by id and size.</summary>
    List2,
}

/// <summary>The four bytes before a payload's data: representation identifier and options (RTPS 2.5, 10.2).</summary>
/// <param name="Form">Layout.</param>
/// <param name="IsBigEndian">Byte order.</param>
internal readonly record struct Encapsulation(WireForm Form, bool IsBigEndian)
{
    /// <summary>Bytes of the header.</summary>
    public const int Size = 4;

    /// <summary>How many <see cref="WireForm"/>s there are.</summary>
    public const int FormCount = 5;

    /// <summary>Reads the header. Both the identifiers of RTPS (6 to 11) and those of DDS-XTypes (16 to 21) are known.</summary>
    /// <exception cref="CdrException">Too short, or an identifier that is none of CDR.</exception>
    public static Encapsulation Read(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < Size)
            throw new CdrException("", 0, $"the payload has {payload.Length} bytes, fewer than the {Size} of its encapsulation header");
        WireForm? form = ((payload[0] << 8) | payload[1]) switch
        {
            0x00 or 0x01 => WireForm.Plain1,
            0x02 or 0x03 => WireForm.List1,
            0x06 or 0x07 or 0x10 or 0x11 => WireForm.Plain2,
            0x08 or 0x09 or 0x14 or 0x15 => WireForm.Delimited2,
            0x0A or 0x0B or 0x12 or 0x13 => WireForm.List2,
            _ => null,
        };
        return form is { } known
            ? new Encapsulation(known, (payload[1] & 1) == 0)
            : throw new CdrException("", 0, $"the representation identifier 0x{payload[0]:X2}{payload[1]:X2} is none of CDR, PL_CDR, CDR2, D_CDR2, PL_CDR2");
    }
}
