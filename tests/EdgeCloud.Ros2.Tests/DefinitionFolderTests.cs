using System.Text;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.TypeHashes;
using EdgeCloud.Testing;

namespace EdgeCloud.Ros2.Tests;

public class DefinitionFolderTests
{
    [Theory]
    [InlineData("only_topics", "rcl_interfaces/msg/ParameterEvent")]
    [InlineData("only_topics", "rcl_interfaces/msg/Log")]
    [InlineData("chatter_0", "std_msgs/msg/String")]
    public void Joined_definitions_are_byte_for_byte_what_rosbag2_recorded(string recording, string type)
    {
        using var reader = new Mcap.Reading.McapStreamReader(File.OpenRead(TestData.Path($"rosbag2/{recording}.mcap")));
        while (reader.Read(out _))
        {
        }

        string recorded = Encoding.UTF8.GetString(reader.Schemas.Values.First(schema => schema.Name == type).Data.Span);
        SchemaText text = new DefinitionFolders([TestData.Path("ros2-msgs")]).Find(type)!;
        Assert.Equal(("ros2msg", recorded), (text.Encoding, text.Text));
    }

    [Fact]
    public void Every_definition_of_the_common_packages_is_found_parsed_and_hashed()
    {
        string folder = TestData.Path("ros2-msgs");
        var folders = new DefinitionFolders([folder]);
        string[] files = Directory.GetFiles(folder, "*.msg", SearchOption.AllDirectories);
        Assert.True(files.Length > 100);
        foreach (string file in files)
        {
            string type = Path.GetRelativePath(folder, file)[..^4];
            SchemaText text = folders.Find(type) ?? throw new InvalidOperationException($"{type} was not found");
            MessageSchema schema = MessageSchema.Parse(type, text.Encoding, text.Text);
            Assert.Equal(type, schema.Root.Name);
            Assert.Matches("^RIHS01_[0-9a-f]{64}$", TypeHash.Compute(schema));
        }
    }

    [Fact]
    public void Dependencies_come_once_sorted_and_depth_first()
    {
        using var folder = new DefinitionFolder();
        folder.Write("pkg/msg/Root.msg", "B b\nother/A[3] a\nstring<=5 s\nB again # pkg/Comment no\nuint8 X=1");
        folder.Write("pkg/msg/B.msg", "C c\n");
        folder.Write("pkg/msg/C.msg", "int32 x\n");
        folder.Write("other/msg/A.msg", "pkg/C c\n");
        string rule = new('=', 80);
        Assert.Equal(
            "B b\nother/A[3] a\nstring<=5 s\nB again # pkg/Comment no\nuint8 X=1"
            + $"\n{rule}\nMSG: other/A\npkg/C c\n\n{rule}\nMSG: pkg/C\nint32 x\n\n{rule}\nMSG: pkg/B\nC c\n",
            folder.Definitions.Find("pkg/msg/Root")!.Text);
    }

    [Fact]
    public void A_message_with_wide_text_or_without_a_msg_file_is_taken_from_idl_as_rosbag2_does()
    {
        using var folder = new DefinitionFolder();
        const string Root = "#include \"pkg/msg/B.idl\"\nmodule pkg { module msg { struct Root { wstring w; pkg::msg::B b; }; }; };\n";
        const string B = "module pkg { module msg { struct B { float x; }; }; };\n";
        folder.Write("pkg/msg/Root.msg", "wstring w\nB b\n");
        folder.Write("pkg/msg/Root.idl", Root);
        folder.Write("pkg/msg/B.idl", B);
        string rule = new('=', 80);
        SchemaText text = folder.Definitions.Find("pkg/msg/Root")!;
        Assert.Equal(("ros2idl", $"{rule}\nIDL: pkg/msg/Root\n{Root}\n{rule}\nIDL: pkg/msg/B\n{B}"), (text.Encoding, text.Text));
        Assert.Equal(["w", "b"], MessageSchema.Parse("pkg/msg/Root", "ros2idl", text.Text).Root.Fields.Select(f => f.Name));
    }

    [Fact]
    public void Service_events_and_action_messages_are_recorded_with_their_service_or_action()
    {
        using var folder = new DefinitionFolder();
        folder.Write("pkg/srv/Add.srv", "B b\n---\nI i\n");
        folder.Write("pkg/msg/B.msg", "int32 x\n");
        folder.Write("pkg/msg/I.idl", "module pkg { module msg { struct I { float y; }; }; };\n");
        folder.Write("pkg/action/Dock.action", "int32 a\n---\nint32 b\n---\nint32 c\n");
        string rule = new('=', 80);
        SchemaText text = folder.Definitions.Find("pkg/srv/Add_Event")!;
        Assert.StartsWith($"{rule}\nSRV: pkg/srv/Add\nB b\n---\nI i\n\n{rule}\nMSG: pkg/B\nint32 x\n\n{rule}\nIDL: pkg/I\nmodule", text.Text);
        Assert.Equal("ros2idl", text.Encoding);
        Assert.Equal(["info", "request", "response"], MessageSchema.Parse("pkg/srv/Add_Event", text.Encoding, text.Text).Root.Fields.Select(f => f.Name));
        text = folder.Definitions.Find("pkg/action/Dock_FeedbackMessage")!;
        Assert.Equal($"{rule}\nACTION: pkg/action/Dock\nint32 a\n---\nint32 b\n---\nint32 c\n", text.Text);
        Assert.Equal(["goal_id", "feedback"], MessageSchema.Parse("pkg/action/Dock_FeedbackMessage", text.Encoding, text.Text).Root.Fields.Select(f => f.Name));
    }

    [Fact]
    public void An_overlay_hides_the_package_below_it_and_what_is_nowhere_is_null()
    {
        using var below = new DefinitionFolder("share");
        using var overlay = new DefinitionFolder("share");
        below.Write("pkg/msg/A.msg", "int32 old\n");
        below.Write("pkg/msg/OnlyBelow.msg", "int32 x\n");
        below.Write("pkg/msg/Dangling.msg", "nowhere/X x\n");
        overlay.Write("pkg/msg/A.msg", "int32 new\n");
        var folders = DefinitionFolders.FromAmentPrefixPath($"{overlay.Prefix}:{below.Prefix}");
        Assert.Equal("int32 new\n", folders.Find("pkg/msg/A")!.Text);
        Assert.Null(folders.Find("pkg/msg/OnlyBelow"));
        Assert.Null(below.Definitions.Find("pkg/msg/Dangling"));
        Assert.Null(folders.Find("pkg/msg/../../secret"));
        Assert.Null(folders.Find("no name"));
    }

    private sealed class DefinitionFolder(string below = "") : IDisposable
    {
        public string Prefix { get; } = Directory.CreateTempSubdirectory("edgecloud-definitions-").FullName;

        public DefinitionFolders Definitions => new([Path.Combine(Prefix, below)]);

        public void Write(string file, string text)
        {
            string path = Path.Combine(Prefix, below, file);
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.WriteAllText(path, text);
        }

        public void Dispose() => Directory.Delete(Prefix, recursive: true);
    }
}
