using System.Globalization;
using System.Text;
using EdgeCloud.Contracts;
using EdgeCloud.Export.Reading;
using EdgeCloud.Mcap;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace EdgeCloud.Export.Tests;

/// <summary>Row filters: the same conditions on every encoding whose fields are known.</summary>
public sealed class FilterTests
{
    private static readonly PlannedSession Session = new() { Id = Recording.Session(1), Robot = "amr", Segments = [], Topics = [] };

    [Theory]
    [InlineData("name", "=", "T3", "3")]
    [InlineData("name", "!=", "T3", "0 1 2 4 5")]
    [InlineData("syntax", "=", "SYNTAX_PROTO3", "0 2 4")] // an enumeration, by name
    [InlineData("source_context.file_name", "=", "file 4", "4")]
    [InlineData("source_context.file_name", "!=", "file 4", "0 2")] // odd ones have no source_context
    [InlineData("fields.number", ">=", "104", "4 5")] // of any item
    [InlineData("fields[].number", "<", "2", "0 1")]
    [InlineData("fields[*].number", "=", "2", "2")]
    [InlineData("fields[0].number", ">=", "100", "")]
    [InlineData("fields[1].number", ">", "103.5", "4 5")]
    [InlineData("fields[7].number", "<", "1000", "")]
    [InlineData("fields[0].packed", "=", "true", "1 3 5")]
    [InlineData("oneofs", "=", "one 2", "2")]
    [InlineData("oneofs[1]", "=", "both", "0 1 2 3 4 5")]
    public void Protobuf_messages_are_filtered_by_their_fields(string field, string comparison, string value, string expected)
    {
        var messages = Enumerable.Range(0, 6).Select(i => new Google.Protobuf.WellKnownTypes.Type
        {
            Name = $"T{i}",
            Fields = { new Field { Number = i, Packed = i % 2 == 1 }, new Field { Number = 100 + i } },
            Oneofs = { $"one {i}", "both" },
            SourceContext = i % 2 == 0 ? new SourceContext { FileName = $"file {i}" } : null,
            Syntax = i % 2 == 0 ? Google.Protobuf.WellKnownTypes.Syntax.Proto3 : Google.Protobuf.WellKnownTypes.Syntax.Proto2,
        }.ToByteArray());
        Assert.Equal(expected, Kept(Channel("protobuf", TypeSchema), messages, field, comparison, value));
    }

    [Theory]
    [InlineData("pose.x", ">", "3", "4 5")]
    [InlineData("pose.x", "!=", "3", "0 1 2 4 5")]
    [InlineData("pose.y", "!=", "3", "")] // no value meets no condition
    [InlineData("tags", "=", "b2", "2")]
    [InlineData("tags[0]", "=", "b2", "")]
    [InlineData("items.level", ">=", "5", "5")]
    [InlineData("items[].level", "=", "-4", "4")]
    [InlineData("items[1].level", "<=", "-4", "4 5")]
    [InlineData("items[9].level", "<=", "-4", "")]
    [InlineData("on", "=", "true", "1 3 5")]
    [InlineData("on", "=", "0", "0 2 4")]
    [InlineData("mixed", "=", "7", "0 2 4")] // a number or the text
    [InlineData("mixed", "=", "text", "1 3 5")]
    [InlineData("mixed", "<", "8", "0 2 4")]
    [InlineData("kebab-case", "=", "ü", "0 1 2 3 4 5")]
    public void Json_messages_are_filtered_by_what_is_in_them(string field, string comparison, string value, string expected)
    {
        var messages = Enumerable.Range(0, 6).Select(i => Encoding.UTF8.GetBytes(
            $$"""{"pose": {"x": {{i}}}, "tags": ["a", "b{{i}}"], "items": [{"level": {{i}}}, {"level": -{{i}}}], "on": {{(i % 2 == 1 ? "true" : "false")}}, "mixed": {{(i % 2 == 1 ? "\"text\"" : "7")}}, "nothing": null, "kebab-case": "ü"}"""));
        Assert.Equal(expected, Kept(Channel("json"), messages, field, comparison, value));
    }

    [Fact]
    public void What_is_damaged_meets_no_condition()
    {
        Assert.Equal("2", Kept(Channel("json"), [.. new[] { "", "{\"a\":", "{\"a\": 1}", "[]", "5" }.Select(Encoding.UTF8.GetBytes)], "a", "!=", "7"));
        Assert.Equal("1", Kept(Channel("protobuf", TypeSchema), [[255], new Google.Protobuf.WellKnownTypes.Type { Name = "a" }.ToByteArray(), [10, 200]], "name", "!=", "b"));
    }

    [Theory]
    [InlineData("protobuf", "name", "<", "5", "name is text, which is only compared for equality")]
    [InlineData("protobuf", "fields.number", "=", "many", "fields.number is a number and cannot be compared with 'many'")]
    [InlineData("protobuf", "nothing", "=", "1", "has no field 'nothing'")]
    [InlineData("protobuf", "fields", "=", "1", "'fields' is a message; name one of its fields: kind")]
    [InlineData("protobuf", "name[0]", "=", "1", "'name' is no list")]
    [InlineData("protobuf", "name.length", "=", "1", "'name' has no fields")]
    [InlineData("protobuf", "fields[x].number", "=", "1", "whose brackets hold no index")]
    [InlineData("json", "a", "<", "many", "a is text, which is only compared for equality")]
    [InlineData("json", "a..b", "=", "1", "has no field name")]
    [InlineData("cbor", "a", "=", "1", "its messages are 'cbor'")]
    [InlineData("ros1", "a", "=", "1", "Only CDR with a ROS 2 definition, protobuf with its descriptors and JSON can be filtered; leave the topic out of the filter")]
    public void A_filter_that_does_not_fit_is_refused_with_the_reason(string encoding, string field, string comparison, string value, string reason)
    {
        var channel = Channel(encoding, encoding == "protobuf" ? TypeSchema : null);
        var error = Assert.Throws<ExportException>(() => MessageFilter.Of([Filter(field, comparison, value)], channel));
        Assert.StartsWith($"Topic /topic cannot be filtered by {field}: ", error.Message);
        Assert.Contains(reason, error.Message);
    }

    private static FeedSchema TypeSchema
    {
        get
        {
            var set = new FileDescriptorSet();
            foreach (var file in new[] { AnyReflection.Descriptor, SourceContextReflection.Descriptor, TypeReflection.Descriptor })
                set.File.Add(FileDescriptorProto.Parser.ParseFrom(file.SerializedData));
            return new(0, "google.protobuf.Type", "protobuf", set.ToByteArray());
        }
    }

    private static FeedChannel Channel(string encoding, FeedSchema? schema = null) =>
        new(0, Session, new Channel(1, schema is null ? (ushort)0 : (ushort)1, "/topic", encoding, new Dictionary<string, string>()), schema);

    /// <summary>The places of the messages that pass.</summary>
    private static string Kept(FeedChannel channel, IEnumerable<byte[]> messages, string field, string comparison, string value)
    {
        var filter = MessageFilter.Of([Filter(field, comparison, value)], channel)!;
        return string.Join(' ', messages.Index().Where(m => filter.Passes(new Message(1, 0, 0, 0, m.Item))).Select(m => m.Index.ToString(CultureInfo.InvariantCulture)));
    }

    private static FieldFilter Filter(string field, string comparison, string value) => new("/top*", field, comparison switch
    {
        "=" => FilterComparison.Equal,
        "!=" => FilterComparison.NotEqual,
        "<" => FilterComparison.Less,
        "<=" => FilterComparison.LessOrEqual,
        ">" => FilterComparison.Greater,
        _ => FilterComparison.GreaterOrEqual,
    }, value);
}
