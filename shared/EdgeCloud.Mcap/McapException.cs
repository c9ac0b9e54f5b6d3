namespace EdgeCloud.Mcap;

/// <summary>Where a record begins: at a byte of the file or, when it lies in a chunk, at a byte of that chunk's uncompressed records.</summary>
/// <param name="Offset">Byte of the file at which the record, or the chunk that holds it, begins.</param>
/// <param name="InChunk">Byte of the chunk's uncompressed records at which the record begins; -1 for a record that lies in no chunk.</param>
public readonly record struct RecordPosition(long Offset, long InChunk = -1)
{
    /// <summary>For error messages: <c>offset 28</c> or <c>byte 120 of the chunk at offset 28</c>.</summary>
    public override string ToString() =>
        InChunk < 0 ? $"offset {Offset}" : $"byte {InChunk} of the chunk at offset {Offset}";
}

/// <summary>Bytes that are not valid MCAP, or that exceed a limit the caller set. The message names offset, record, expected and actual.</summary>
public class McapException : IOException
{
    /// <summary>A fault in <paramref name="record"/> at <paramref name="position"/>.</summary>
    /// <param name="record">What was being read: a record type or a part of the file such as "trailing magic".</param>
    /// <param name="position">Where it begins.</param>
    /// <param name="expected">What the format asks for.</param>
    /// <param name="actual">What is there.</param>
    public McapException(string record, RecordPosition position, string expected, string actual)
        : base($"{record} at {position}: expected {expected}, found {actual}")
    {
        Record = record;
        Position = position;
        Expected = expected;
        Actual = actual;
    }

    /// <summary>The file or address that was read, where the reader knows it.</summary>
    public string? SourceName { get; internal set; }

    /// <summary>Source, record, position, expected and actual.</summary>
    public override string Message => SourceName is null ? base.Message : $"{SourceName}: {base.Message}";

    /// <summary>What was being read: a record type or a part of the file.</summary>
    public string Record { get; }
    /// <summary>Where it begins.</summary>
    public RecordPosition Position { get; }
    /// <summary>What the format asks for.</summary>
    public string Expected { get; }
    /// <summary>What is there.</summary>
    public string Actual { get; }
}

/// <summary>The bytes end before the record, or the file, does: typical of a recorder that was killed. <c>recover</c> helps.</summary>
public sealed class McapTruncatedException(string record, RecordPosition position, string expected, string actual)
    : McapException(record, position, expected, actual);
