using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Tests.Model;
using EdgeCloud.Ros2.TypeHashes;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeCloud.Ros2.Tests;

public class DefinitionTests
{
    private static MessageSchema Msg(string text, string name = "pkg/msg/Root") => MessageSchema.Parse(name, "ros2msg", text);

    private static MessageSchema Idl(string text, string name = "pkg/msg/Root") => MessageSchema.Parse(name, "ros2idl", text);

    [Fact]
    public void A_msg_file_gives_fields_constants_defaults_comments_and_units()
    {
        MessageDefinition root = Msg(
            """
            # A thing.
            #
            # Made for tests.

            byte FLAG=0x1F   # hexadecimal
            float32 HALF = -0.5
            string TEXT="it's # no comment"
            bool YES=True

            # How fast it goes [m/s]
            float64 speed 1.5
            	string<=8 name "a # b" # in quotes
            int32[<=3] bounded [1, 2]
                # also about bounded
            wstring[2] wide
            Other[] others
            pkg/msg/Other one
            time stamp
            ================================================================================
            MSG: pkg/Other
            char c
            """).Root;
        Assert.Equal("A thing.\n\nMade for tests.", root.Comment!.Replace(" \n", "\n"));
        Assert.Equal([("FLAG", 31L), ("HALF", -0.5), ("TEXT", "it's # no comment"), ("YES", true)], root.Constants.Select(c => (c.Name, c.Value)));
        Assert.Equal("hexadecimal", root.Constants[0].Comment);
        Assert.Equal(["speed", "name", "bounded", "wide", "others", "one", "stamp"], root.Fields.Select(f => f.Name));
        Assert.Equal(
            ["float64", "string<=8", "int32[<=3]", "wstring[2]", "pkg/msg/Other[]", "pkg/msg/Other", "builtin_interfaces/msg/Time"],
            root.Fields.Select(f => f.Type.ToString()));
        Assert.Equal(("m/s", "How fast it goes", "1.5"), (root.Fields[0].Unit, root.Fields[0].Comment, root.Fields[0].Default));
        Assert.Equal(("a # b", "in quotes"), (root.Fields[1].Default, root.Fields[1].Comment));
        Assert.Equal(("[1, 2]", "also about bounded"), (root.Fields[2].Default, root.Fields[2].Comment));
    }

    [Fact]
    public void An_idl_file_gives_what_rosidl_writes_into_it()
    {
        MessageSchema schema = Idl(
            """
            ================================================================================
            IDL: pkg/msg/Root
            #include "pkg/msg/Other.idl"
            // a comment /* not nested
            module pkg { module msg {
              typedef pkg::msg::Other pkg__msg__Other;
              typedef pkg__msg__Other pkg__msg__Other__3[3];
              typedef double double__4[2][2];
              enum Colour { RED, @value(5) GREEN, BLUE };
              module Root_Constants {
                const short LOW = -23;
                const unsigned long BITS = (1 << 4) | 0x0F;
                const float QUARTER = 1. / 4;
                const boolean ON = TRUE;
                const wstring TRADE = L"mark \u2122" " joined";
                const char LETTER = 'x';
              };
              @verbatim (language="comment", text=
                "About the root." "\n"
                "Two lines.")
              struct Root {
                @default (value=123) @unit (value="rad")
                unsigned short angle, second;
                @verbatim (language="comment", text="")
                sequence<string<3>, 4> words;
                sequence<sequence_of_nothing> plain;
                wstring<BITS> wide;
                pkg__msg__Other__3 three;
                double__4 matrix;
                Colour colour;
                long long big;
                long double huge;
                @optional octet maybe;
              };
              struct sequence_of_nothing { uint8 structure_needs_at_least_one_member; };
            }; };
            ================================================================================
            IDL: pkg/msg/Other
            module pkg { module msg { @mutable struct Other { @id(7) char c; boolean d; }; }; };
            """);
        MessageDefinition root = schema.Root;
        Assert.Equal(
            [("LOW", (object)-23L), ("BITS", 31L), ("QUARTER", 0.25), ("ON", true), ("TRADE", "mark \u2122 joined"), ("LETTER", 120L)],
            root.Constants.Select(c => (c.Name, c.Value)));
        Assert.Equal("About the root.\nTwo lines.", root.Comment);
        Assert.Equal(
            [
                "uint16 angle", "uint16 second", "string<=3[<=4] words", "pkg/msg/sequence_of_nothing[] plain", "wstring<=31 wide",
                "pkg/msg/Other[3] three", "float64[4] matrix", "pkg/msg/Colour colour", "int64 big", "long double huge", "byte maybe",
            ],
            root.Fields.Select(f => $"{f.Type} {f.Name}"));
        Assert.Equal(("123", "rad"), (root.Fields[0].Default, root.Fields[0].Unit));
        Assert.True(root.Fields[^1].IsOptional);
        Assert.Empty(schema.Messages["pkg/msg/sequence_of_nothing"].Fields);
        Assert.Equal([7, 8], schema.Messages["pkg/msg/Other"].Fields.Select(f => f.MemberId));
        Assert.Equal(Extensibility.Mutable, schema.Messages["pkg/msg/Other"].Extensibility);
        Assert.Equal([("RED", 0), ("GREEN", 5), ("BLUE", 6)], schema.Enums["pkg/msg/Colour"].Members.Select(m => (m.Key, m.Value)));
    }

    [Theory]
    [InlineData("int32 a\n\nint32", "pkg/msg/Root, line 3: 'int32' has a type but no name")]
    [InlineData("int32 a\nint32 a", "pkg/msg/Root, line 2: the name 'a' is used twice")]
    [InlineData("int32 a\nuint8 X=256", "pkg/msg/Root, line 2: '256' is not a value of type uint8")]
    [InlineData("int32[0] a", "pkg/msg/Root, line 1: the size in 'int32[0]' must be a whole number")]
    [InlineData("int32[3 a", "pkg/msg/Root, line 1: the array type 'int32[3' has no closing ']'")]
    [InlineData("int32<=3 a", "pkg/msg/Root, line 1: 'int32<=3' puts a length on 'int32'")]
    [InlineData("\nNo a", "pkg/msg/Root, line 2: the type 'No' of 'a' is not in the schema")]
    [InlineData("no-such a", "pkg/msg/Root, line 1: 'no-such' is no type")]
    [InlineData("Root a", "pkg/msg/Root: contains itself: pkg/msg/Root -> pkg/msg/Root")]
    [InlineData("A a\n==========\nMSG: pkg/A\nint32 x\nB b\n==========\nMSG: pkg/B\nA a", "pkg/msg/A: contains itself: pkg/msg/A -> pkg/msg/B -> pkg/msg/A")]
    [InlineData("A a\n==========\nMSG: pkg/A\nint32 x\n\nint32 1y", "pkg/msg/A, line 3: '1y' does not start with a name")]
    public void A_msg_text_that_makes_no_sense_is_refused_with_its_line(string text, string error) =>
        Assert.StartsWith(error, Assert.Throws<DefinitionException>(() => Msg(text)).Message);

    [Theory]
    [InlineData("module pkg { module msg {\n struct Root { int32 a }; }; };", "pkg/msg/Root, line 2: expected ';', found '}'")]
    [InlineData("module pkg { module msg {\n struct Root { int32 a; int32 a; }; }; };", "pkg/msg/Root, line 2: the name 'a' is used twice")]
    [InlineData("module pkg {\n\n union U", "pkg/msg/Root, line 3: 'union' is not part of ROS 2 IDL")]
    [InlineData("module pkg { module msg { struct Root {\n map<int32, int32> a; }; }; };", "pkg/msg/Root, line 2: 'map' is not a member type")]
    [InlineData("module pkg { module msg { struct Root {\n int32 a[0]; }; }; };", "pkg/msg/Root, line 2: a size must be a whole number")]
    [InlineData("module pkg { module msg { struct Root {\n int32 a[NO]; }; }; };", "pkg/msg/Root, line 2: 'NO' is no constant defined above")]
    [InlineData("module pkg { module msg { struct Root {\n a::b::c::d x; }; }; };", "pkg/msg/Root, line 2: 'a::b::c::d' names no type")]
    [InlineData("module pkg { /* never", "pkg/msg/Root, line 1: the comment that starts here does not end")]
    [InlineData("const string S = \"\n", "pkg/msg/Root, line 1: the text that starts here does not end")]
    [InlineData("const octet B = 256;", "pkg/msg/Root, line 1: the value of 'B' does not fit")]
    [InlineData("const long long B = 1 << 99;", "pkg/msg/Root, line 1: 1 << 99 has no value")]
    [InlineData("const unsigned long long B = 0xFFFFFFFFFFFFFFFF * 0xFFFFFFFFFFFFFFFF;", "pkg/msg/Root, line 1: 18446744073709551615 * 18446744073709551615 does not fit")]
    [InlineData("module pkg { module msg { struct Other { int32 a; }; }; };", "pkg/msg/Root: the schema does not define it")]
    public void An_idl_text_that_makes_no_sense_is_refused_with_its_line(string text, string error) =>
        Assert.StartsWith(error, Assert.Throws<DefinitionException>(() => Idl(text)).Message);

    [Theory]
    [InlineData("", "module m { ")]
    [InlineData("const long X = ", "(")]
    [InlineData("const long X = ", "-")]
    [InlineData("struct S { ", "sequence<")]
    public void Deep_nesting_is_refused_instead_of_exhausting_the_stack(string start, string level)
    {
        string text = start + string.Concat(Enumerable.Repeat(level, 100_000));
        Assert.Contains("levels of nesting", Assert.Throws<DefinitionException>(() => Idl(text)).Message);
    }

    [Fact]
    public void Messages_nested_too_deep_are_refused()
    {
        string text = "T0 t\n" + string.Concat(Enumerable.Range(0, 100).Select(i => $"==========\nMSG: pkg/T{i}\nT{i + 1} t\n")) + "==========\nMSG: pkg/T100\nint32 x\n";
        Assert.Contains("more than 64 levels", Assert.Throws<DefinitionException>(() => Msg(text)).Message);
    }

    [Fact]
    public void Names_are_found_in_the_same_package_in_another_one_and_where_only_one_fits()
    {
        MessageSchema schema = MessageSchema.Parse("pkg/Root", "ros2msg", "Header h\nbase/Thing t\nDistant d\n" + "==========\nMSG: std_msgs/Header\nint32 a\n"
            + "==========\nMSG: base/msg/Thing\nint32 a\n==========\nMSG: far/msg/Distant\nint32 a\n");
        Assert.Equal("pkg/msg/Root", schema.Root.Name);
        Assert.Equal("Root", Idl("struct Root { Other o; }; struct Other { float x; };").Root.Name);
        Assert.Equal(["std_msgs/msg/Header", "base/msg/Thing", "far/msg/Distant"], schema.Root.Fields.Select(f => f.Type.TypeName));
    }

    [Theory]
    [InlineData("pkg/srv/Add_Request", "a")]
    [InlineData("pkg/srv/Add_Response", "sum")]
    [InlineData("pkg/srv/Add_Event", "info,request,response")]
    [InlineData("pkg/srv/Add", "request_message,response_message,event_message")]
    [InlineData("pkg/Add_Event", "info,request,response")]
    public void The_parts_of_a_service_and_its_events_are_found_by_name(string name, string fields)
    {
        foreach (string heading in new[] { "", "==========\nSRV: pkg/srv/Add\n" })
        {
            MessageSchema schema = Msg(heading + "Nested a\n---\nint64 sum\n==========\nMSG: pkg/Nested\nint32 x\n", heading.Length == 0 ? name : name.Replace("pkg/Add", "pkg/srv/Add"));
            Assert.Equal(fields, string.Join(",", schema.Root.Fields.Select(f => f.Name)));
        }
    }

    [Theory]
    [InlineData("pkg/action/Dock_Goal", "target")]
    [InlineData("pkg/action/Dock_Feedback", "done")]
    [InlineData("pkg/action/Dock_FeedbackMessage", "goal_id,feedback")]
    [InlineData("pkg/action/Dock_SendGoal_Request", "goal_id,goal")]
    [InlineData("pkg/action/Dock_SendGoal_Event", "info,request,response")]
    [InlineData("pkg/action/Dock_GetResult_Response", "status,result")]
    public void The_messages_of_an_action_are_found_by_name(string name, string fields)
    {
        Assert.Equal(fields, string.Join(",", Msg("string target\n---\nbool ok\n---\nfloat32 done\n", name).Root.Fields.Select(f => f.Name)));
        const string AsIdl = "module pkg { module action { struct Dock_Goal { string target; }; struct Dock_Result { boolean ok; }; struct Dock_Feedback { float done; }; }; };";
        Assert.Equal(fields, string.Join(",", Idl(AsIdl, name).Root.Fields.Select(f => f.Name)));
    }

    [Fact]
    public void A_type_has_the_same_hash_in_both_languages() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(100),
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue - 1)), seed =>
        {
            TypeModel types = new RandomTypes(seed, idlFeatures: false).Type();
            Assert.Equal(
                TypeHash.Compute(MessageSchema.Parse(types.RootName, "ros2msg", types.ToMsg())),
                TypeHash.Compute(MessageSchema.Parse(types.RootName, "ros2idl", types.ToIdl())));
        }));

    [Fact]
    public void A_damaged_text_is_refused_as_a_definition_or_understood_but_never_anything_else() => Check.One(
        Config.QuickThrowOnFailure.WithMaxTest(400),
        Prop.ForAll(Arb.From(Gen.Choose(0, int.MaxValue - 1)), seed =>
        {
            var random = new Random(seed);
            TypeModel types = new RandomTypes(seed, idlFeatures: true).Type();
            bool asIdl = random.Next(2) == 0;
            string text = Damage.Text(asIdl ? types.ToIdl() : types.ToMsg(), random);
            try
            {
                MessageSchema schema = MessageSchema.Parse(types.RootName, asIdl ? "ros2idl" : "ros2msg", text);
                Assert.EndsWith("T0", schema.Root.Name); // the only one of that name may stand for it
                Assert.All(schema.Messages.Values.SelectMany(m => m.Fields), field => Assert.True(
                    field.Type.TypeName is null || schema.Messages.ContainsKey(field.Type.TypeName) || schema.Enums.ContainsKey(field.Type.TypeName)));
            }
            catch (DefinitionException e)
            {
                Assert.NotEmpty(e.Definition);
            }
        }));
}
