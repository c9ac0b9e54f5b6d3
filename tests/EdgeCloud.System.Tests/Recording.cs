using System.Security.Cryptography;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.SystemTests;

/// <summary>Everything of a message that has to come out as it went in.</summary>
public sealed record RecordedMessage(
    string Topic, ulong LogTime, ulong PublishTime, uint Sequence, string PayloadSha256, string SchemaName, string SchemaEncoding, string SchemaSha256, string MessageEncoding);

/// <summary>Reads whole recordings, small ones, for comparison. Repeats of latched messages are no messages of the robot.</summary>
public static class Recording
{
    private const Opcode CommitRecord = (Opcode)0x80;

    public static IReadOnlyList<RecordedMessage> Read(string path)
    {
        using var reader = new McapStreamReader(File.OpenRead(path));
        return Read(reader);
    }

    /// <summary>What of an unfinished segment was acknowledged as durable: everything before its last commit record.</summary>
    public static IReadOnlyList<RecordedMessage> ReadUnfinished(string path)
    {
        using var reader = new McapStreamReader(new MemoryStream(File.ReadAllBytes(path)));
        return Read(reader, isUnfinished: true);
    }

    /// <summary>Reads a recording that is in memory.</summary>
    public static IReadOnlyList<RecordedMessage> Read(byte[] file)
    {
        using var reader = new McapStreamReader(new MemoryStream(file));
        return Read(reader);
    }

    private static List<RecordedMessage> Read(McapStreamReader reader, bool isUnfinished = false)
    {
        var messages = new List<RecordedMessage>();
        var committed = 0;
        try
        {
            while (reader.Read(out var record))
            {
                if (record.Opcode == CommitRecord)
                    committed = messages.Count;
                if (record.Opcode != Opcode.Message)
                    continue;
                var message = record.ToMessage();
                var channel = reader.Channels[message.ChannelId];
                if (channel.Metadata.GetValueOrDefault("edgecloud.repeat") == "true")
                    continue;
                var schema = channel.SchemaId == 0 ? null : reader.Schemas[channel.SchemaId];
                messages.Add(new RecordedMessage(
                    channel.Topic, message.LogTime, message.PublishTime, message.Sequence, Sha256(message.Data), schema?.Name ?? "",
                    schema?.Encoding ?? "", schema is null ? "" : Sha256(schema.Data), channel.MessageEncoding));
            }
        }
        catch (McapException) when (isUnfinished)
        {
            // The tail: preallocated space, or a write that the end of the process cut.
        }
        return isUnfinished ? messages[..committed] : messages;
    }

    private static string Sha256(ReadOnlyMemory<byte> bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes.Span));
}
