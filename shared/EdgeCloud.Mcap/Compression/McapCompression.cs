namespace EdgeCloud.Mcap;

/// <summary>How a chunk's records are compressed (specification, registry of compression formats).</summary>
public enum McapCompression
{
    /// <summary>Not at all; the name in the file is empty.</summary>
    None,
    /// <summary>An LZ4 frame: <c>lz4</c>.</summary>
    Lz4,
    /// <summary>A Zstandard frame: <c>zstd</c>.</summary>
    Zstd,
}

/// <summary>Names of the compressions in files.</summary>
public static class McapCompressionNames
{
    /// <summary>The name as it stands in chunks.</summary>
    public static string ToName(this McapCompression compression) => compression switch
    {
        McapCompression.None => "",
        McapCompression.Lz4 => "lz4",
        McapCompression.Zstd => "zstd",
        _ => throw new ArgumentOutOfRangeException(nameof(compression), compression, "Not a compression of MCAP."),
    };

    /// <summary>The compression of that name in a chunk; false for one that this library does not know.</summary>
    public static bool TryParse(string name, out McapCompression compression)
    {
        (var known, compression) = name switch
        {
            "" => (true, McapCompression.None),
            "lz4" => (true, McapCompression.Lz4),
            "zstd" => (true, McapCompression.Zstd),
            _ => (false, McapCompression.None),
        };
        return known;
    }
}
