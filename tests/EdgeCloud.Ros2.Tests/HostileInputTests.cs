using System.Text;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Columns;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Json;
using EdgeCloud.Ros2.Tests.Model;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeCloud.Ros2.Tests;

public class HostileInputTests
{
    [Fact]
    public void A_damaged_payload_is_refused_or_decoded_within_what_its_size_justifies() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(600),
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue - 1)), seed =>
        {
            var random = new Random(seed);
            var form = (Xcdr)random.Next(5);
            var source = new RandomTypes(seed, idlFeatures: true);
            TypeModel types = source.Type();
            MessageSchema schema = MessageSchema.Parse(types.RootName, "ros2idl", types.ToIdl());
            ColumnBatch batch = ColumnPlan.Create(schema).CreateBatch();
            MessageJson json = MessageJson.Create(types.RootName, "ros2idl", Encoding.UTF8.GetBytes(types.ToIdl()), "cdr");
            byte[] sound = new CdrEncoder(types, form, random.Next(2) == 0, random).Encode(source.Message(types, types.Root));
            for (int n = 0; n < 20; n++)
            {
                byte[] payload = Damage.Payload(sound, random);
                long before = GC.GetAllocatedBytesForCurrentThread();
                bool decoded = Decodes(() => batch.Append(payload));
                Decodes(() => System.Text.Json.JsonDocument.Parse(json.Write(payload).ToArray()).Dispose());
                Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 8_000_000 + (400L * payload.Length));
                Assert.Equal(decoded ? 1 : 0, batch.Rows);
                Assert.All(batch.Columns, column => AssertWhole(column, batch.Rows));
                batch.Clear();
            }
        }));

    [Fact]
    public void A_count_that_the_payload_cannot_hold_allocates_nothing()
    {
        foreach (string type in new[] { "uint8[]", "float64[]", "string[]", "T[]", "string", "wstring", "float64[2000000000]", "T[2000000000]", "string[2000000000]" })
        {
            MessageSchema schema = MessageSchema.Parse("pkg/msg/Root", "ros2msg", $"{type} a\n==========\nMSG: pkg/T\nuint8 x\n");
            ColumnBatch batch = ColumnPlan.Create(schema).CreateBatch();
            byte[] payload = [0, 1, 0, 0, 0xF0, 0xFF, 0xFF, 0x7F, .. new byte[64]];
            Assert.Throws<CdrException>(() => batch.Append(payload));
            long before = GC.GetAllocatedBytesForCurrentThread();
            Assert.Throws<CdrException>(() => batch.Append(payload));
            Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 20_000);
        }
    }

    [Fact]
    public void Left_out_values_cannot_blow_up_a_small_payload()
    {
        // Each element takes 4 bytes on the wire and would take 80 KB in a column.
        MessageSchema schema = MessageSchema.Parse("pkg/msg/Root", "ros2msg", "T[] a\n==========\nMSG: pkg/T\nfloat64[10000] x\n");
        byte[] payload = [0, 9, 0, 0, .. Word(8 + 4000), .. Word(4 + 4000), .. Word(1000), .. new byte[4000]];
        CdrException error = Assert.Throws<CdrException>(() => ColumnPlan.Create(schema).CreateBatch().Append(payload));
        Assert.Contains("leaves out more values than its size justifies", error.Message);
    }

    [Fact]
    public void A_definition_that_multiplies_itself_is_refused()
    {
        var text = new StringBuilder();
        for (int level = 0; level < 20; level++)
            text.Append(level == 0 ? "" : $"==========\nMSG: pkg/T{level}\n").AppendJoin('\n', Enumerable.Range(0, 10).Select(i => $"T{level + 1} f{i}")).Append('\n');
        text.Append("==========\nMSG: pkg/T20\nint32 x\n");
        MessageSchema schema = MessageSchema.Parse("pkg/msg/T0", "ros2msg", text.ToString());
        Assert.Contains("more than 16384 fields", Assert.Throws<DefinitionException>(() => ColumnPlan.Create(schema)).Message);
        Assert.Contains("more than 16384 fields", Assert.Throws<DefinitionException>(() => MessageJson.Create("pkg/msg/T0", "ros2msg", Encoding.UTF8.GetBytes(text.ToString()), "cdr")).Message);
    }

    private static void AssertWhole(Column column, int rows)
    {
        Assert.Equal(rows, column.Count);
        switch (column)
        {
            case TextColumn text:
                Assert.Equal(text.Bytes.Length, text.Offsets[^1]);
                Assert.True(System.Text.Unicode.Utf8.IsValid(text.Bytes));
                break;
            case ListColumn list:
                AssertWhole(list.Items, list.Offsets[^1]);
                break;
            case FixedListColumn list:
                AssertWhole(list.Items, rows * list.Type.Size);
                break;
            case StructColumn fields:
                Assert.All(fields.Fields, field => AssertWhole(field, rows));
                break;
        }
    }

    private static byte[] Word(int value) => BitConverter.GetBytes(value);

    private static bool Decodes(Action action)
    {
        try
        {
            action();
            return true;
        }
        catch (CdrException)
        {
            return false;
        }
    }
}
