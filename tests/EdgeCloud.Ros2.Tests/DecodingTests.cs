using System.Text;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Columns;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Json;
using EdgeCloud.Ros2.Tests.Model;
using EdgeCloud.Testing;

namespace EdgeCloud.Ros2.Tests;

public class DecodingTests
{
    private static string Json(string text, string hex, string name = "pkg/msg/Root", JsonBytes bytes = JsonBytes.Numbers) =>
        Encoding.UTF8.GetString(MessageJson.Create(name, "ros2msg", Encoding.UTF8.GetBytes(text), "cdr", bytes).Write(Convert.FromHexString(hex.Replace(" ", ""))));

    [Fact]
    public void Service_events_of_a_recording_decode_although_their_schema_is_only_the_service()
    {
        List<RecordedMessage> events = [.. Recording.Read("topics_and_services").Where(m => m.Channel.Topic == "/add_two_ints/_service_event")];
        Assert.Equal(6, events.Count);
        MessageJson json = MessageJson.Create(events[0].Schema.Name, events[0].Schema.Encoding, events[0].Schema.Data.Span, "cdr");
        const string Client = "\"client_gid\":[1,15,235,125,56,54,174,138,0,0,0,0,0,0,19,4]";
        Assert.Equal(
            $$"""{"info":{"event_type":1,"stamp":{"sec":1697522263,"nanosec":628817278},{{Client}},"sequence_number":1},"request":[{"a":1,"b":3}],"response":[]}""",
            Encoding.UTF8.GetString(json.Write(events[0].Data)));
        Assert.Equal(
            $$"""{"info":{"event_type":2,"stamp":{"sec":1697522263,"nanosec":629025834},{{Client}},"sequence_number":1},"request":[],"response":[{"sum":4}]}""",
            Encoding.UTF8.GetString(json.Write(events[1].Data)));
    }

    [Fact]
    public void Numbers_are_written_exactly()
    {
        const string Text = "int64 a\nuint64 b\nfloat32 c\nfloat64 d\nfloat64[] e\nbool f\nint8 g";
        string hex = "00010000 0000000000000080 ffffffffffffffff cdcccc3d 00000000 9a9999999999b93f 05000000 00000000"
            + "000000000000f87f 000000000000f07f 000000000000f0ff 0000000000000080 ffffffffffffef7f 01 80";
        Assert.Equal(
            """{"a":-9223372036854775808,"b":18446744073709551615,"c":0.1,"d":0.1,"e":["NaN","Infinity","-Infinity",-0,1.7976931348623157E+308],"f":true,"g":-128}""",
            Json(Text, hex));
    }

    [Fact]
    public void Bytes_are_numbers_or_base64()
    {
        Assert.Equal("""{"a":[1,10,255],"b":[0,100],"c":[-1]}""", Json("uint8[] a\nbyte[2] b\nint8[] c", "00010000 03000000 010aff 0064 000000 01000000 ff"));
        Assert.Equal("""{"a":"AQr/","b":"AGQ=","c":[-1]}""", Json("uint8[] a\nbyte[2] b\nint8[] c", "00010000 03000000 010aff 0064 000000 01000000 ff", bytes: JsonBytes.Base64));
    }

    [Theory]
    [InlineData("00010000")]
    [InlineData("00010000 00")]
    [InlineData("00010000 00000000")]
    public void An_empty_message_is_empty_with_or_without_its_dummy_byte(string hex) => Assert.Equal("{}", Json("# nothing", hex));

    [Fact]
    public void A_message_recorded_without_its_definition_is_not_taken_for_an_empty_one() =>
        Assert.Contains("recorded without its definition", Assert.Throws<CdrException>(() => Json("", "00010000 05000000 6162636400")).Message);

    [Theory]
    [InlineData("00010000 05000000 6162e97a00", "ab\uFFFDz")]
    [InlineData("00010000 02000000 6162", "ab")]
    [InlineData("00010000 00000000", "")]
    [InlineData("00010000 01000000 00", "")]
    [InlineData("00010000 03000000 0a2200", "\\n\\\"")]
    public void Text_is_valid_however_it_was_ended_or_damaged(string hex, string text) => Assert.Equal($$"""{"a":"{{text}}"}""", Json("string a", hex));

    // The same message as ROS 2 middlewares, DDS-XTypes and Fast CDR 2 write it.
    [Theory]
    [InlineData("00010000 03000000 61000000 62000000 3ad80000 07000000")]
    [InlineData("00010000 06000000 61006200 3ad8 0000 07000000")]
    [InlineData("00010000 03000000 61006200 3ad8 0000 07000000")]
    [InlineData("00070000 06000000 61006200 3ad8 0000 07000000")]
    [InlineData("00060000 00000006 00610062 d83a 0000 00000007")]
    [InlineData("00000000 00000003 00000061 00000062 0000d83a 00000007")]
    public void Wide_text_is_read_in_each_form_that_writers_use(string hex) => Assert.Equal("""{"a":"ab�","b":7}""", Json("wstring a\nint32 b", hex));

    [Fact]
    public void Padding_and_trailing_bytes_are_tolerated() => Assert.Equal("""{"a":1}""", Json("uint8 a", "00010003 01 000000 ffffffff"));

    [Fact]
    public void An_older_writer_leaves_members_out_and_a_newer_one_adds_some()
    {
        Assert.Equal("""{"a":1,"b":null,"c":null}""", Json("int32 a\nstring b\nT c\n==========\nMSG: pkg/T\nint32 x", "00090000 04000000 01000000"));
        Assert.Equal("""{"n":[{"a":1},{"a":2}],"z":3}""", Json(
            "T[] n\nint32 z\n==========\nMSG: pkg/T\nint32 a",
            "00090000 24000000 1c000000 02000000 08000000 01000000 09000000 08000000 02000000 09000000 03000000"));
    }

    [Theory]
    [InlineData("", "byte 0: the payload has 0 bytes, fewer than the 4 of its encapsulation header")]
    [InlineData("00050000 00", "byte 0: the representation identifier 0x0005 is none of CDR")]
    [InlineData("00010000 0000", "field 'a.x', byte 4: needs 4 bytes, but only 2 are left")]
    [InlineData("00010000 00000000 ffffffff", "field 'b', byte 12: a count of 4294967295, but only 0 bytes are left")]
    [InlineData("00010000 00000000 02000000 00000000", "field 'b', byte 12: a count of 2, but only 4 bytes are left", "float64[]")]
    public void A_payload_that_does_not_fit_is_refused_with_field_and_place(string hex, string error, string type = "string")
    {
        string text = $"T a\n{type} b\n==========\nMSG: pkg/T\nint32 x";
        Assert.StartsWith(error, Assert.Throws<CdrException>(() => Json(text, hex)).Message);
    }

    [Fact]
    public void A_failed_message_leaves_the_batch_as_it_was()
    {
        MessageSchema schema = MessageSchema.Parse("pkg/msg/Root", "ros2msg", "int32 a\nstring[] b\nT[2] c\n==========\nMSG: pkg/T\nint32 x\nuint8[] y");
        ColumnBatch batch = ColumnPlan.Create(schema).CreateBatch();
        byte[] good = Convert.FromHexString("00010000" + "07000000" + "02000000" + "0200000061000000" + "0200000062000000" + "01000000" + "0300000001020300" + "02000000" + "01000000" + "09");
        batch.Append(good);
        for (int length = 0; length < good.Length; length++)
        {
            Assert.Throws<CdrException>(() => batch.Append(good.AsSpan(0, length)));
            Assert.Equal(1, batch.Rows);
        }

        batch.AppendMissing();
        batch.Append(good);
        Assert.Equal([7, 0, 7], ((NumberColumn)batch.Columns[0]).Values<int>().ToArray());
        Assert.Equal([0, 2, 2, 4], ((ListColumn)batch.Columns[1]).Offsets.ToArray());
        var items = (StructColumn)((FixedListColumn)batch.Columns[2]).Items;
        Assert.Equal([1, 2, 0, 0, 1, 2], ((NumberColumn)items.Fields[0]).Values<int>().ToArray());
        Assert.Equal([0, 3, 4, 4, 4, 7, 8], ((ListColumn)items.Fields[1]).Offsets.ToArray());
        Assert.All(batch.Columns, column => Assert.Equal([1], column.MissingRows.ToArray()));
    }

    [Fact]
    public void Only_wanted_columns_are_decoded_and_an_unknown_one_is_refused()
    {
        SchemaText text = new DefinitionFolders([TestData.Path("ros2-msgs")]).Find("sensor_msgs/msg/Imu")!;
        MessageSchema schema = MessageSchema.Parse(text.TypeName, text.Encoding, text.Text);
        Assert.Equal(
            [
                "header.stamp timestamp", "header.frame_id text", "orientation.x float64", "orientation.y float64", "orientation.z float64", "orientation.w float64",
                "orientation_covariance list<float64>[9]", "angular_velocity.x float64", "angular_velocity.y float64", "angular_velocity.z float64",
                "angular_velocity_covariance list<float64>[9]", "linear_acceleration.x float64", "linear_acceleration.y float64", "linear_acceleration.z float64",
                "linear_acceleration_covariance list<float64>[9]",
            ],
            ColumnPlan.Create(schema).Columns.Select(column => $"{column.Name} {column.Type}"));
        Assert.Equal(
            ["header.stamp", "angular_velocity.x", "angular_velocity.y", "angular_velocity.z"],
            ColumnPlan.Create(schema, ["angular_velocity", "header.stamp"]).Columns.Select(column => column.Name));
        Assert.StartsWith("sensor_msgs/msg/Imu has no field 'angular'; it has header.stamp,", Assert.Throws<ArgumentException>(() => ColumnPlan.Create(schema, ["angular"])).Message);
    }

    [Fact]
    public void A_steady_stream_of_messages_allocates_nothing()
    {
        SchemaText text = new DefinitionFolders([TestData.Path("ros2-msgs")]).Find("tf2_msgs/msg/TFMessage")!;
        MessageSchema schema = MessageSchema.Parse(text.TypeName, text.Encoding, text.Text);
        var batch = ColumnPlan.Create(schema).CreateBatch();
        FieldPath(schema, out var path);
        byte[] payload = Payloads.Transforms(10);
        var numbers = new double[10];
        long allocated = 0;
        for (int round = 0; round < 4; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            for (int i = 0; i < 1000; i++)
            {
                batch.Append(payload);
                path.ReadNumbers(payload, numbers);
            }

            batch.Clear();
            allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        }

        Assert.Equal(0, allocated);
        Assert.Equal(9, numbers[9]);
    }

    private static void FieldPath(MessageSchema schema, out Fields.FieldPath path) =>
        path = Fields.FieldPath.Compile(schema, "transforms[].transform.translation.x");
}
