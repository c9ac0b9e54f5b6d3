namespace EdgeCloud.Mcap;

/// <summary>Kinds of records (specification, "Records"). Values from 0x80 belong to applications; 0x00 is not valid.</summary>
public enum Opcode : byte
{
    /// <summary>First record of a file: <see cref="Mcap.Header"/>.</summary>
    Header = 0x01,
    /// <summary>Last record of a file: <see cref="Mcap.Footer"/>.</summary>
    Footer = 0x02,
    /// <summary>How the messages of a channel are to be read: <see cref="Mcap.Schema"/>.</summary>
    Schema = 0x03,
    /// <summary>A stream of messages on one topic: <see cref="Mcap.Channel"/>.</summary>
    Channel = 0x04,
    /// <summary>One message: <see cref="Mcap.Message"/>.</summary>
    Message = 0x05,
    /// <summary>A batch of schemas, channels and messages, perhaps compressed: <see cref="Mcap.Chunk"/>.</summary>
    Chunk = 0x06,
    /// <summary>Where the messages of one channel lie in the chunk before it: <see cref="Mcap.MessageIndex"/>.</summary>
    MessageIndex = 0x07,
    /// <summary>Where a chunk lies: <see cref="Mcap.ChunkIndex"/>.</summary>
    ChunkIndex = 0x08,
    /// <summary>A file within the file: <see cref="Mcap.Attachment"/>.</summary>
    Attachment = 0x09,
    /// <summary>Where an attachment lies: <see cref="Mcap.AttachmentIndex"/>.</summary>
    AttachmentIndex = 0x0A,
    /// <summary>Counts and times of the whole file: <see cref="Mcap.Statistics"/>.</summary>
    Statistics = 0x0B,
    /// <summary>Named key-value pairs: <see cref="Mcap.Metadata"/>.</summary>
    Metadata = 0x0C,
    /// <summary>Where a metadata record lies: <see cref="Mcap.MetadataIndex"/>.</summary>
    MetadataIndex = 0x0D,
    /// <summary>Where the summary's records of one kind lie: <see cref="Mcap.SummaryOffset"/>.</summary>
    SummaryOffset = 0x0E,
    /// <summary>End of the data section: <see cref="Mcap.DataEnd"/>.</summary>
    DataEnd = 0x0F,
}

/// <summary>Fixed values of the format.</summary>
public static class McapFormat
{
    /// <summary>The eight bytes at both ends of every file: <c>89 'M' 'C' 'A' 'P' '0' \r \n</c>.</summary>
    public static ReadOnlySpan<byte> Magic => [0x89, (byte)'M', (byte)'C', (byte)'A', (byte)'P', 0x30, (byte)'\r', (byte)'\n'];

    /// <summary>Bytes before a record's content: opcode and 64-bit content length.</summary>
    public const int RecordPrefixBytes = 9;

    /// <summary>Bytes of a message record before its payload, prefix included.</summary>
    public const int MessagePrefixBytes = RecordPrefixBytes + MessageHeaderBytes;

    /// <summary>First opcode that is free for applications.</summary>
    public const Opcode FirstApplicationOpcode = (Opcode)0x80;

    /// <summary>Bytes of a message's content before its payload: channel id, sequence, log time, publish time.</summary>
    internal const int MessageHeaderBytes = 2 + 4 + 8 + 8;

    /// <summary>Bytes of a footer's content, which never grows.</summary>
    internal const int FooterContentBytes = 8 + 8 + 4;

    /// <summary>Footer record and trailing magic: the end of every whole file.</summary>
    internal const int TailBytes = RecordPrefixBytes + FooterContentBytes + 8;

    /// <summary>Bytes of the least chunk content: everything but the compression's name and the records.</summary>
    internal const int ChunkHeaderBytes = 8 + 8 + 8 + 4 + 4 + 8;

    /// <summary>The largest record that the readers and writers of this library hold in memory: what one array can.</summary>
    public const int RecordBytesLimit = 0x7FFF_FFC7 - 64;
}
