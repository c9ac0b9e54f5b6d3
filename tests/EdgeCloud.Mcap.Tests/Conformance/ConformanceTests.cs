using System.Globalization;
using System.Text.Json.Nodes;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Mcap.Tests.Conformance;

public sealed class ConformanceTests
{
    public static TheoryData<string> Names => [.. ConformanceCase.All.Select(one => one.Name)];

    [Fact]
    public void The_suite_is_there() => Assert.True(ConformanceCase.All.Count > 200, $"{ConformanceCase.All.Count} cases");

    [Theory, MemberData(nameof(Names))]
    public void The_writer_makes_every_file_byte_for_byte(string name)
    {
        var one = Case(name);
        Assert.Null(one.Difference(one.Write()));
    }

    [Theory, MemberData(nameof(Names))]
    public void The_stream_reader_gives_exactly_the_records(string name)
    {
        var one = Case(name);
        using var reader = new McapStreamReader(new MemoryStream(one.Write()));
        var read = new JsonArray();
        while (reader.Read(out var record))
        {
            if (SuiteJson.Of(record) is { } json)
                read.Add(json);
        }
        Assert.Equal(one.Records.ToJsonString(), read.ToJsonString());
    }

    [Theory, MemberData(nameof(Names))]
    public async Task The_indexed_reader_gives_exactly_the_messages_by_log_time(string name)
    {
        var one = Case(name);
        await using var reader = await McapIndexedReader.OpenAsync(new MemoryByteSource(one.Write()));
        var messages = new JsonArray();
        await foreach (var message in reader.ReadMessages())
            messages.Add(SuiteJson.Of(message));
        AssertSame(OfType("Message").OrderBy(record => long.Parse((string)record["fields"]![2]![1]!, CultureInfo.InvariantCulture)), messages);
        AssertSame(OfType("Schema").DistinctBy(Id), reader.Schemas.Values.Select(SuiteJson.Of));
        AssertSame(OfType("Channel").DistinctBy(Id), reader.Channels.Values.Select(SuiteJson.Of));
        AssertSame(OfType("Statistics"), reader.Summary.RecordedStatistics is { } statistics ? [SuiteJson.Of(statistics)] : []);

        IEnumerable<JsonNode> OfType(string type) => one.Records.Where(record => (string)record!["type"]! == type)!;
        static string Id(JsonNode record) => (string)record["fields"]!.AsArray().First(field => (string)field![0]! == "id")![1]!;
        static void AssertSame(IEnumerable<JsonNode> expected, IEnumerable<JsonNode?> actual) =>
            Assert.Equal(expected.Select(record => record.ToJsonString()), actual.Select(record => record!.ToJsonString()));
    }

    private static ConformanceCase Case(string name) => ConformanceCase.All.Single(one => one.Name == name);
}
