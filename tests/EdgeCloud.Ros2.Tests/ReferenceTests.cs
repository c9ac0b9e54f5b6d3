using System.Text;
using System.Text.Json.Nodes;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Json;
using EdgeCloud.Ros2.Tests.Model;
using EdgeCloud.Testing;

namespace EdgeCloud.Ros2.Tests;

public class ReferenceTests
{
    [Fact]
    public async Task Messages_of_recordings_decode_as_the_common_TypeScript_decoder_does()
    {
        List<RecordedMessage> messages = [.. Recording.Names.SelectMany(Recording.Read).Where(message => !message.Schema.Name.EndsWith("_Event", StringComparison.Ordinal))];
        List<JsonNode?> references = await ReferenceDecoder.DecodeAsync(messages.Select(message =>
            new ReferenceInput(message.Schema.Encoding, Encoding.UTF8.GetString(message.Schema.Data.Span), message.Data)));
        Assert.Equal(messages.Count, references.Count);
        Assert.NotEmpty(messages);
        for (int i = 0; i < messages.Count; i++)
        {
            RecordedMessage message = messages[i];
            MessageJson json = MessageJson.Create(message.Schema.Name, message.Schema.Encoding, message.Schema.Data.Span, "cdr");
            JsonNode? ours = JsonNode.Parse(json.Write(message.Data));
            Assert.Null(ReferenceDecoder.Difference(references[i], ours, $"{message.Channel.Topic} "));
        }
    }

    [Fact]
    public async Task Random_messages_of_every_common_type_decode_as_the_common_TypeScript_decoder_does()
    {
        string folder = TestData.Path("ros2-msgs");
        var folders = new DefinitionFolders([folder]);
        var inputs = new List<ReferenceInput>();
        var ours = new List<(string Type, JsonNode? Json)>();
        foreach (string file in Directory.GetFiles(folder, "*.msg", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            SchemaText text = folders.Find(Path.GetRelativePath(folder, file)[..^4])!;
            MessageSchema schema = MessageSchema.Parse(text.TypeName, text.Encoding, text.Text);
            if (schema.Root.Fields.Count == 0)
                continue; // of constants alone: the TypeScript decoder refuses it
            TypeModel types = TypeModel.From(schema);
            MessageJson json = MessageJson.Create(text.TypeName, text.Encoding, Encoding.UTF8.GetBytes(text.Text), "cdr");
            for (int seed = 0; seed < 4; seed++)
            {
                var random = new RandomTypes(seed, idlFeatures: false);
                byte[] payload = new CdrEncoder(types, Xcdr.Plain1, bigEndian: seed % 2 == 1).Encode(random.Message(types, types.Root));
                inputs.Add(new ReferenceInput(text.Encoding, text.Text, payload));
                ours.Add((text.TypeName, JsonNode.Parse(json.Write(payload))));
            }
        }

        List<JsonNode?> references = await ReferenceDecoder.DecodeAsync(inputs);
        Assert.Equal(ours.Count, references.Count);
        Assert.True(ours.Count > 500);
        for (int i = 0; i < ours.Count; i++)
            Assert.Null(ReferenceDecoder.Difference(references[i], ours[i].Json, ours[i].Type));
    }
}
