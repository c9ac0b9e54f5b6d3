using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using EdgeCloud.Mcap.Writing;
using EdgeCloud.Testing;

namespace EdgeCloud.Mcap.Tests.Conformance;

/// <summary>
/// One case of the public conformance suite: a JSON file with the records, and the MCAP file. Stored copies of the suite hold the MCAP
/// files as Git LFS pointers, which state size and SHA-256: enough to prove that bytes made from the JSON are the suite's bytes.
/// </summary>
public sealed class ConformanceCase
{
    private ConformanceCase(string jsonPath)
    {
        Name = Path.GetFileNameWithoutExtension(jsonPath);
        var json = JsonNode.Parse(File.ReadAllText(jsonPath))!;
        Records = json["records"]!.AsArray();
        Features = json["meta"]!["variant"]!["features"]!.AsArray().Select(feature => (string)feature!).ToHashSet();
        Stored = File.ReadAllBytes(Path.ChangeExtension(jsonPath, ".mcap"));
    }

    /// <summary>Such as <c>OneMessage-ch-chx-mx</c>.</summary>
    public string Name { get; }

    /// <summary>What reading must give.</summary>
    public JsonArray Records { get; }

    /// <summary>The parts of the format that the file uses.</summary>
    public IReadOnlySet<string> Features { get; }

    private byte[] Stored { get; }

    /// <summary>Every case there is.</summary>
    public static IReadOnlyList<ConformanceCase> All { get; } =
        Directory.GetFiles(TestData.Path("mcap-conformance"), "*.json", SearchOption.AllDirectories)
            .Order(StringComparer.Ordinal).Select(path => new ConformanceCase(path)).ToList();

    /// <summary>The case's file as our writer makes it from the JSON.</summary>
    public byte[] Write()
    {
        var stream = new MemoryStream();
        byte[] padding = Has("pad") ? [0x01, 0xff, 0xff] : [];
        var header = Fields(Records.Single(record => (string)record!["type"]! == "Header")!);
        using var writer = new McapWriter(stream, new McapWriterOptions
        {
            Profile = (string)header["profile"]!,
            Library = (string)header["library"]!,
            Chunked = Has("ch"),
            Compression = McapCompression.None,
            MessageIndex = Has("mx"),
            Summary = new()
            {
                Schemas = Has("rsh"),
                Channels = Has("rch"),
                Statistics = Has("st"),
                ChunkIndexes = Has("chx"),
                AttachmentIndexes = Has("ax"),
                MetadataIndexes = Has("mdx"),
                SummaryOffsets = Has("sum"),
            },
            Padding = padding,
        });
        foreach (var record in Records.TakeWhile(record => (string)record!["type"]! != "DataEnd"))
            Write(writer, record!);
        writer.Finish();
        return stream.ToArray();
    }

    /// <summary>Null when <paramref name="bytes"/> are the suite's file, else how they differ from it.</summary>
    public string? Difference(byte[] bytes)
    {
        var text = System.Text.Encoding.ASCII.GetString(Stored);
        if (!text.StartsWith("version https://git-lfs", StringComparison.Ordinal))
            return bytes.AsSpan().SequenceEqual(Stored) ? null : $"differs at byte {bytes.AsSpan().CommonPrefixLength(Stored)} of {Stored.Length}";
        var facts = text.Split('\n').Select(line => line.Split(' ')).Where(parts => parts.Length == 2).ToDictionary(parts => parts[0], parts => parts[1]);
        var found = $"{bytes.Length} bytes, SHA-256 {Convert.ToHexStringLower(SHA256.HashData(bytes))}";
        var wanted = $"{facts["size"]} bytes, SHA-256 {facts["oid"]["sha256:".Length..]}";
        return found == wanted ? null : $"has {found} instead of {wanted}";
    }

    private bool Has(string feature) => Features.Contains(feature);

    private static void Write(McapWriter writer, JsonNode record)
    {
        var fields = Fields(record);
        switch ((string)record["type"]!)
        {
            case "Schema":
                writer.Write(new Schema(Number<ushort>("id"), Text("name"), Text("encoding"), Bytes("data")));
                break;
            case "Channel":
                writer.Write(new Channel(Number<ushort>("id"), Number<ushort>("schema_id"), Text("topic"), Text("message_encoding"), Pairs("metadata")));
                break;
            case "Message":
                writer.Write(new Message(
                    Number<ushort>("channel_id"), Number<uint>("sequence"), Number<ulong>("log_time"), Number<ulong>("publish_time"), Bytes("data")));
                break;
            case "Attachment":
                writer.Write(new Attachment(Number<ulong>("log_time"), Number<ulong>("create_time"), Text("name"), Text("media_type"), Bytes("data")));
                break;
            case "Metadata":
                writer.Write(new Metadata(Text("name"), Pairs("metadata")));
                break;
        }

        string Text(string field) => (string)fields[field]!;
        T Number<T>(string field) where T : IParsable<T> => T.Parse(Text(field), CultureInfo.InvariantCulture);
        byte[] Bytes(string field) => fields[field]!.AsArray().Select(value => byte.Parse((string)value!, CultureInfo.InvariantCulture)).ToArray();
        Dictionary<string, string> Pairs(string field) => fields[field]!.AsObject().ToDictionary(pair => pair.Key, pair => (string)pair.Value!);
    }

    private static Dictionary<string, JsonNode> Fields(JsonNode record) =>
        record["fields"]!.AsArray().ToDictionary(field => (string)field![0]!, field => field![1]!);
}
