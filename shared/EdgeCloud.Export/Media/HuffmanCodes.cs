namespace EdgeCloud.Export.Media;

/// <summary>A Huffman table of ITU-T T.81: how many codes there are of each length, and what they stand for.</summary>
internal sealed class HuffmanCodes
{
    /// <summary>Annex K.3.1.</summary>
    public static HuffmanCodes LuminanceDc { get; } = new(0x00, [0, 1, 5, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);

    /// <summary>Annex K.3.1.</summary>
    public static HuffmanCodes ChrominanceDc { get; } = new(0x01, [0, 3, 1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0], [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);

    /// <summary>Annex K.3.2.</summary>
    public static HuffmanCodes LuminanceAc { get; } = new(0x10, [0, 2, 1, 3, 3, 2, 4, 3, 5, 5, 4, 4, 0, 0, 1, 0x7D], Convert.FromHexString(
        "01020300041105122131410613516107227114328191A1082342B1C11552D1F02433627282090A161718191A25262728292A3435363738393A434445464748494A" +
        "535455565758595A636465666768696A737475767778797A838485868788898A92939495969798999AA2A3A4A5A6A7A8A9AAB2B3B4B5B6B7B8B9BAC2C3C4C5C6C7" +
        "C8C9CAD2D3D4D5D6D7D8D9DAE1E2E3E4E5E6E7E8E9EAF1F2F3F4F5F6F7F8F9FA"));

    /// <summary>Annex K.3.2.</summary>
    public static HuffmanCodes ChrominanceAc { get; } = new(0x11, [0, 2, 1, 2, 4, 4, 3, 4, 7, 5, 4, 4, 0, 1, 2, 0x77], Convert.FromHexString(
        "000102031104052131061241510761711322328108144291A1B1C109233352F0156272D10A162434E125F11718191A262728292A35363738393A434445464748494A" +
        "535455565758595A636465666768696A737475767778797A82838485868788898A92939495969798999AA2A3A4A5A6A7A8A9AAB2B3B4B5B6B7B8B9BAC2C3C4C5C6" +
        "C7C8C9CAD2D3D4D5D6D7D8D9DAE2E3E4E5E6E7E8E9EAF2F3F4F5F6F7F8F9FA"));

    private HuffmanCodes(byte id, byte[] lengths, byte[] values)
    {
        (Id, Lengths, Values) = (id, lengths, values);
        uint code = 0;
        var at = 0;
        for (var length = 1; length <= 16; length++, code <<= 1)
        {
            for (var i = 0; i < lengths[length - 1]; i++, code++, at++)
                (Codes[values[at]], Sizes[values[at]]) = (code, length);
        }
    }

    /// <summary>Class and number, as in the file.</summary>
    public byte Id { get; }

    /// <summary>How many codes there are of 1 to 16 bits.</summary>
    public byte[] Lengths { get; }

    /// <summary>What the codes stand for, in order of code.</summary>
    public byte[] Values { get; }

    /// <summary>Code of each symbol.</summary>
    public uint[] Codes { get; } = new uint[256];

    /// <summary>Bits of each symbol's code.</summary>
    public int[] Sizes { get; } = new int[256];
}
