using System.Text;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Json;
using Google.Protobuf;
using Google.Protobuf.Reflection;
using Google.Protobuf.WellKnownTypes;

namespace EdgeCloud.Ros2.Tests;

public class OtherEncodingTests
{
    private static byte[] DescriptorSet(params FileDescriptor[] files)
    {
        using var stream = new MemoryStream();
        using (var output = new CodedOutputStream(stream, leaveOpen: true))
        {
            foreach (FileDescriptor file in files)
            {
                output.WriteTag(1, Google.Protobuf.WireFormat.WireType.LengthDelimited);
                output.WriteBytes(file.SerializedData);
            }
        }

        return stream.ToArray();
    }

    private static string Protobuf(string name, byte[] set, byte[] payload, JsonBytes bytes = JsonBytes.Numbers) =>
        Encoding.UTF8.GetString(MessageJson.Create(name, "protobuf", set, "protobuf", bytes).Write(payload));

    [Fact]
    public void Protobuf_messages_decode_with_their_descriptor_set()
    {
        byte[] types = DescriptorSet(TypeReflection.Descriptor, AnyReflection.Descriptor, SourceContextReflection.Descriptor);
        var field = new Field { Kind = Field.Types.Kind.TypeDouble, Number = -3, Name = "é\"", Packed = true, OneofIndex = int.MaxValue };
        field.Options.Add(new Option { Name = "o", Value = new Any { TypeUrl = "u", Value = ByteString.CopyFrom(1, 2, 255) } });
        var type = new Google.Protobuf.WellKnownTypes.Type { Name = "T", Fields = { field }, Oneofs = { "a", "" }, Syntax = Google.Protobuf.WellKnownTypes.Syntax.Proto3 };
        Assert.Equal(
            """{"name":"T","fields":[{"kind":"TYPE_DOUBLE","cardinality":"CARDINALITY_UNKNOWN","number":-3,"name":"é\"","type_url":"","oneof_index":2147483647,"packed":true,"options":[{"name":"o","value":{"type_url":"u","value":[1,2,255]}}],"json_name":"","default_value":""}],"oneofs":["a",""],"options":[],"source_context":null,"syntax":"SYNTAX_PROTO3","edition":""}""",
            Protobuf("google.protobuf.Type", types, type.ToByteArray()));
        Assert.Equal("""{"type_url":"","value":"AQ=="}""", Protobuf("google.protobuf.Any", types, new Any { Value = ByteString.CopyFrom(1) }.ToByteArray(), JsonBytes.Base64));
    }

    [Fact]
    public void Protobuf_numbers_are_exact_and_packed_ones_are_lists()
    {
        byte[] wrappers = DescriptorSet(WrappersReflection.Descriptor);
        Assert.Equal("""{"value":18446744073709551615}""", Protobuf("google.protobuf.UInt64Value", wrappers, new UInt64Value { Value = ulong.MaxValue }.ToByteArray()));
        Assert.Equal("""{"value":-9223372036854775808}""", Protobuf("google.protobuf.Int64Value", wrappers, new Int64Value { Value = long.MinValue }.ToByteArray()));
        Assert.Equal("""{"value":0.1}""", Protobuf("google.protobuf.FloatValue", wrappers, new FloatValue { Value = 0.1f }.ToByteArray()));
        Assert.Equal("""{"value":"NaN"}""", Protobuf("google.protobuf.DoubleValue", wrappers, new DoubleValue { Value = double.NaN }.ToByteArray()));
        Assert.Equal("""{"value":0}""", Protobuf("google.protobuf.UInt32Value", wrappers, []));
        byte[] descriptor = DescriptorSet(FileDescriptorProto.Descriptor.File);
        var info = new SourceCodeInfo { Location = { new SourceCodeInfo.Types.Location { Path = { 4, 300 }, Span = { -1 } } } };
        Assert.Equal(
            """{"location":[{"path":[4,300],"span":[-1],"leading_comments":null,"trailing_comments":null,"leading_detached_comments":[]}]}""",
            Protobuf("google.protobuf.SourceCodeInfo", descriptor, info.ToByteArray()));
    }

    [Fact]
    public void Damaged_protobuf_is_refused_and_never_read_beyond_its_end()
    {
        byte[] set = DescriptorSet(FileDescriptorProto.Descriptor.File);
        byte[] sound = FileDescriptorProto.Descriptor.File.SerializedData.ToByteArray();
        MessageJson json = MessageJson.Create("google.protobuf.FileDescriptorProto", "protobuf", set, "protobuf");
        var random = new Random(3);
        int refused = 0;
        for (int n = 0; n < 300; n++)
        {
            byte[] damaged = Model.Damage.Payload(sound, random);
            try
            {
                System.Text.Json.JsonDocument.Parse(json.Write(damaged).ToArray()).Dispose();
            }
            catch (FormatException)
            {
                refused++;
            }

            try
            {
                MessageJson.Create("google.protobuf.FileDescriptorProto", "protobuf", Model.Damage.Payload(set, random), "protobuf");
            }
            catch (DefinitionException)
            {
                refused++;
            }
        }

        Assert.InRange(refused, 1, 599);
    }

    [Theory]
    [InlineData("{\"a\": 1.10,\n \"b\": [12345678901234567890]}", "{\"a\": 1.10,  \"b\": [12345678901234567890]}")]
    [InlineData(" null ", "null")]
    public void Json_messages_pass_through_on_one_line(string message, string line) =>
        Assert.Equal(line, Encoding.UTF8.GetString(MessageJson.Create("x", "jsonschema", [], "json").Write(Encoding.UTF8.GetBytes(message))));

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{} {}")]
    public void What_is_no_json_is_refused(string message) =>
        Assert.Throws<FormatException>(() => MessageJson.Create("x", "jsonschema", [], "json").Write(Encoding.UTF8.GetBytes(message)));

    [Theory]
    [InlineData("", "")]
    [InlineData("flatbuffer", "flatbuffer")]
    [InlineData("ros2msg", "ros1")]
    public void Anything_else_is_carried_as_bytes(string schemaEncoding, string messageEncoding) =>
        Assert.Equal("""{"base64":"AQID"}""", Encoding.UTF8.GetString(MessageJson.Create("x", schemaEncoding, [], messageEncoding).Write([1, 2, 3])));
}
