using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Fields;
using EdgeCloud.Ros2.Tests.Model;
using EdgeCloud.Testing;

namespace EdgeCloud.Ros2.Tests;

public class FieldPathTests
{
    private static readonly TypeModel Types = new(
    [
        new("T0", [new("stamp", "time"), new("names", "string") { Extent = Extent.Unbounded, Id = 1 }, new("status", "T1") { Extent = Extent.Unbounded, Id = 2 },
            new("ranges", "float32") { Extent = Extent.Unbounded, Id = 3 }, new("pose", "T2") { Id = 4 }, new("big", "uint64") { Id = 5 }]),
        new("T1", [new("name", "string"), new("level", "byte") { Id = 1 }, new("values", "int64") { Extent = Extent.Fixed, Size = 2, Id = 2 }]),
        new("T2", [new("x", "float64"), new("flag", "bool") { Id = 1 }, new("wide", "wstring") { Id = 2 }]),
    ]);

    private static Dictionary<string, object?> Message(params byte[] levels) => new()
    {
        ["stamp"] = (12, 34u),
        ["names"] = new List<object> { "one", "two" },
        ["status"] = levels.Select((level, i) => (object)new Dictionary<string, object?>
        {
            ["name"] = $"s{i}",
            ["level"] = level,
            ["values"] = new List<object> { (long)i, long.MaxValue - i },
        }).ToList(),
        ["ranges"] = new List<object> { 1.5f, float.NaN, 3f },
        ["pose"] = new Dictionary<string, object?> { ["x"] = -2.25, ["flag"] = true, ["wide"] = "größe" },
        ["big"] = ulong.MaxValue,
    };

    public static readonly TheoryData<Xcdr, bool> Forms = new(
        from form in Enum.GetValues<Xcdr>() from bigEndian in new[] { false, true } select (form, bigEndian));

    private static FieldPath Compile(string path) => FieldPath.Compile(MessageSchema.Parse(Types.RootName, "ros2msg", Types.ToMsg()), path);

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_field_is_read_wherever_it_lies(Xcdr form, bool bigEndian)
    {
        byte[] payload = new CdrEncoder(Types, form, bigEndian, new Random(1)).Encode(Message(0, 2, 1));
        double[] Numbers(string path)
        {
            var values = new double[8];
            return values[..Compile(path).ReadNumbers(payload, values)];
        }

        Assert.Equal([12_000_000_034], Numbers("stamp"));
        Assert.Equal([12], Numbers("stamp.sec"));
        Assert.Equal([34], Numbers("stamp.nanosec"));
        Assert.Equal([-2.25], Numbers("pose.x"));
        Assert.Equal([1], Numbers("pose.flag"));
        Assert.Equal([0, 2, 1], Numbers("status[].level"));
        Assert.Equal([0, 2, 1], Numbers("status[*].level"));
        Assert.Equal([0, 2, 1], Numbers("status.level"));
        Assert.Equal([2], Numbers("status[1].level"));
        Assert.Empty(Numbers("status[3].level"));
        Assert.Equal([0, 1, 2], Numbers("status[].values[0]"));
        Assert.Equal([1.5, double.NaN, 3], Numbers("ranges"));
        Assert.Equal([3], Numbers("ranges[2]"));
        Assert.Empty(Numbers("ranges[3]"));
        Assert.Equal(["two"], Compile("names[1]").ReadTexts(payload));
        Assert.Equal(["s0", "s1", "s2"], Compile("status.name").ReadTexts(payload));
        Assert.Equal(["größe"], Compile("pose.wide").ReadTexts(payload));
        Assert.True(Compile("big").TryReadNumber(payload, out double rounded));
        Assert.Equal(ulong.MaxValue, rounded);
    }

    [Theory]
    [InlineData(FieldComparison.GreaterOrEqual, 2, true)]
    [InlineData(FieldComparison.Greater, 2, false)]
    [InlineData(FieldComparison.Equal, 1, true)]
    [InlineData(FieldComparison.NotEqual, 0, true)]
    [InlineData(FieldComparison.Less, 0, false)]
    [InlineData(FieldComparison.LessOrEqual, 0, true)]
    public void Any_element_can_meet_a_condition(FieldComparison comparison, double operand, bool met)
    {
        FieldPath level = Compile("status[].level");
        Assert.Equal(met, level.Any(new CdrEncoder(Types, Xcdr.Plain1, false).Encode(Message(0, 2, 1)), comparison, operand));
        Assert.False(level.Any(new CdrEncoder(Types, Xcdr.Plain1, false).Encode(Message()), comparison, operand));
    }

    [Fact]
    public void What_follows_the_field_is_not_looked_at()
    {
        byte[] payload = new CdrEncoder(Types, Xcdr.Plain1, false).Encode(Message(1));
        Assert.True(Compile("stamp").TryReadNumber(payload.AsSpan(0, 12), out _));
        CdrException error = Assert.Throws<CdrException>(() => Compile("stamp").TryReadNumber(payload.AsSpan(0, 11), out _));
        Assert.Equal("field 'stamp', byte 4: needs 8 bytes, but only 7 are left", error.Message);
    }

    [Fact]
    public void Constants_beside_the_field_are_known_so_that_conditions_can_name_them()
    {
        SchemaText text = new DefinitionFolders([TestData.Path("ros2-msgs")]).Find("diagnostic_msgs/msg/DiagnosticArray")!;
        FieldPath level = FieldPath.Compile(MessageSchema.Parse(text.TypeName, text.Encoding, text.Text), "status[].level");
        Assert.Equal([("OK", 0L), ("WARN", 1L), ("ERROR", 2L), ("STALE", 3L)], level.Constants.Select(c => (c.Name, c.Value)));
        Assert.True(level.IsRepeated);
        Assert.False(level.IsText);
    }

    [Theory]
    [InlineData("poses.x", "test_pkg/msg/T0 has no field 'poses'; it has stamp, names, status, ranges, pose, big")]
    [InlineData("pose", "it ends at the message test_pkg/msg/T2; name one of its fields")]
    [InlineData("big.x", "'big' is a uint64 and has no 'x'")]
    [InlineData("big[0]", "'big' is no array")]
    [InlineData("ranges[x]", "has 'ranges[x]', whose brackets hold no index")]
    [InlineData("", "has no field name in ''")]
    public void A_path_that_leads_nowhere_is_refused_with_what_is_there(string path, string error) =>
        Assert.Contains(error, Assert.Throws<ArgumentException>(() => Compile(path)).Message);
}
