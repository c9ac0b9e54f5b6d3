using System.Text.Json;
using EdgeCloud.Ros2.Columns;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Json;
using EdgeCloud.Ros2.Tests.Model;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeCloud.Ros2.Tests;

/// <summary>Random message types and messages, encoded by the tests' own encoder, come back as they were.</summary>
public class RoundTripTests
{
    [Theory]
    [InlineData(Xcdr.Plain1, false, false)]
    [InlineData(Xcdr.Plain1, true, false)]
    [InlineData(Xcdr.Plain1, false, true)]
    [InlineData(Xcdr.Plain1, true, true)]
    [InlineData(Xcdr.List1, false, true)]
    [InlineData(Xcdr.List1, true, true)]
    [InlineData(Xcdr.Plain2, false, false)]
    [InlineData(Xcdr.Plain2, true, true)]
    [InlineData(Xcdr.Delimited2, false, true)]
    [InlineData(Xcdr.Delimited2, true, false)]
    [InlineData(Xcdr.List2, false, true)]
    [InlineData(Xcdr.List2, true, true)]
    public void Any_message_of_any_type_decodes_to_what_was_encoded(Xcdr form, bool bigEndian, bool asIdl) =>
        Check.One(
            Config.QuickThrowOnFailure.WithMaxTest(150),
            Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue - 1)), seed => RoundTrip(seed, form, bigEndian, asIdl)));

    private static void RoundTrip(int seed, Xcdr form, bool bigEndian, bool asIdl)
    {
        var random = new RandomTypes(seed, idlFeatures: asIdl);
        TypeModel types = random.Type();
        string text = asIdl ? types.ToIdl() : types.ToMsg();
        MessageSchema schema = MessageSchema.Parse(types.RootName, asIdl ? "ros2idl" : "ros2msg", text);
        MessageJson json = MessageJson.Create(types.RootName, asIdl ? "ros2idl" : "ros2msg", System.Text.Encoding.UTF8.GetBytes(text), "cdr");
        ColumnPlan plan = ColumnPlan.Create(schema);
        ColumnBatch batch = plan.CreateBatch();
        var choices = new Random(seed);
        for (int row = 0; row < 5; row++)
        {
            Dictionary<string, object?> message = random.Message(types, types.Root);
            byte[] payload = new CdrEncoder(types, form, bigEndian, choices).Encode(message);
            using JsonDocument decoded = JsonDocument.Parse(json.Write(payload).ToArray());
            Assert.Null(Expect.InJson(types, types.Root, message, decoded.RootElement));
            batch.Append(payload);
            Assert.Equal(row + 1, batch.Rows);
            Assert.Null(Expect.InColumns(types, types.Root, message, plan.Columns, batch.Columns, row));
        }
    }
}
