using System.Text;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeCloud.Contracts.Tests;

public class ContractJsonTests
{
    private static readonly SegmentAnnouncement Announcement = new()
    {
        Robot = "amr-01",
        Revision = new Revision(1_795_300_000_000, 12),
        Custody = Custody.Uploaded,
        Manifest = new SegmentManifest
        {
            Robot = "amr-01",
            Session = Guid.Parse("01936b2e-7c5f-7d4a-8f00-0123456789ab"),
            Sequence = 3,
            ObjectKey = "robot=amr-01/date=2026-11-22/session=01936b2e-7c5f-7d4a-8f00-0123456789ab/000003.mcap",
            Bytes = 67_108_864,
            Sha256 = new string('a', 64),
            ETag = "0123456789abcdef0123456789abcdef-8",
            PreviousSha256 = new string('b', 64),
            LogTimeStartNs = 1_795_300_000_123_456_789,
            LogTimeEndNs = 1_795_300_060_123_456_789,
            Messages = 42,
            Topics = [new TopicSummary { Topic = "/imu", Type = "sensor_msgs/msg/Imu", Encoding = "cdr", Messages = 42, Bytes = 13_440 }],
            Ledger = [new LedgerEntry { Topic = "/imu", Received = 45, Recorded = 42, DroppedQueue = 1, DroppedDisk = 0, Paused = 2 }],
            Clock = new ClockFacts { WallNs = 1_795_300_000_000_000_000, MonotonicNs = 5, BootId = "b" },
            AgentVersion = "0.1.0",
        },
    };

    [Fact]
    public void A_message_reads_back_as_it_was_written_and_its_wire_form_is_as_documented()
    {
        var payload = ContractJson.Write(Announcement);
        var text = Encoding.UTF8.GetString(payload);

        Assert.Contains("\"schema\":\"edgecloud.segment_announcement/1\"", text);
        Assert.Contains("\"custody\":\"uploaded\"", text);
        Assert.Contains("\"log_time_start_ns\":1795300000123456789", text);
        Assert.Contains("\"previous_sha256\"", text);
        Assert.Equal(text, Encoding.UTF8.GetString(ContractJson.Write(ContractJson.Read<SegmentAnnouncement>(payload))));
    }

    [Fact]
    public void Unknown_fields_are_ignored()
    {
        var payload = Encoding.UTF8.GetBytes(
            """{"new":{"schema":"x"},"schema":"edgecloud.log/1","robot":"amr-01","time_ns":1,"level":"warning","text":"hello","more":[1,2]}""");
        Assert.Equal("hello", ContractJson.Read<LogMessage>(payload).Text);
    }

    [Theory]
    [InlineData("", "not JSON")]
    [InlineData("[]", "not a JSON object")]
    [InlineData("null", "not a JSON object")]
    [InlineData("{", "not JSON")]
    [InlineData("{}", "no field 'schema'")]
    [InlineData("""{"schema":7}""", "not a text")]
    [InlineData("""{"schema":"edgecloud.log/2"}""", "'edgecloud.log/1' is expected")]
    [InlineData("""{"schema":"edgecloud.log/1"}""", "robot")]
    [InlineData("""{"schema":"edgecloud.log/1","robot":null,"time_ns":1,"level":"w","text":"t"}""", "robot")]
    [InlineData("""{"schema":"edgecloud.log/1","robot":"a","time_ns":"1","level":"w","text":"t"}""", "time_ns")]
    public void A_bad_payload_is_refused_and_the_error_names_what_is_wrong(string payload, string named)
    {
        var error = Assert.Throws<ContractException>(() => ContractJson.Read<LogMessage>(Encoding.UTF8.GetBytes(payload)));
        Assert.Contains(named, error.Message);
    }

    [Fact]
    public void A_field_that_is_left_out_has_its_default_and_never_null()
    {
        var command = ContractJson.Read<CommandMessage>("""
            {"schema":"edgecloud.command/1","id":"01900000-0000-7000-8000-000000000000","robot":"amr-01","command":"sync",
             "issuer":"user:alice","issued_ns":1,"expires_ns":2}
            """u8);
        var state = ContractJson.Read<StateMessage>("""
            {"schema":"edgecloud.state/1","robot":"amr-01","revision":{"epoch":1,"number":1},"online":true,"time_ns":1,"agent_version":"1"}
            """u8);

        Assert.Equal("", command.Name);
        Assert.Equal("", state.BootId);
        Assert.Empty(state.Sessions);
        Assert.Empty(state.Topics);
    }

    [Fact]
    public void An_enumeration_is_a_known_word()
    {
        var text = Encoding.UTF8.GetString(ContractJson.Write(Announcement));
        foreach (var bad in new[] { "\"custody\":4", "\"custody\":\"everywhere\"" })
        {
            var payload = Encoding.UTF8.GetBytes(text.Replace("\"custody\":\"uploaded\"", bad));
            Assert.Throws<ContractException>(() => ContractJson.Read<SegmentAnnouncement>(payload));
        }
    }

    [Fact]
    public void A_payload_over_the_limit_is_not_looked_at() =>
        Assert.Contains("at most", Assert.Throws<ContractException>(
            () => ContractJson.Read<LogMessage>(new byte[ContractJson.MaxPayloadBytes + 1])).Message);

    [Fact]
    public void Mutated_payloads_yield_a_message_or_a_ContractException_and_nothing_else()
    {
        var original = ContractJson.Write(Announcement);
        var mutation = from edits in Gen.ListOf(from at in Gen.Choose(0, original.Length - 1)
                                                from value in Gen.Choose(0, 255)
                                                select (at, value))
                       from length in Gen.Choose(0, original.Length)
                       select (edits, length);
        var refused = 0;
        Prop.ForAll(mutation.ToArbitrary(), m =>
        {
            var payload = original.ToArray();
            foreach (var (at, value) in m.edits)
                payload[at] = (byte)value;
            try
            {
                ContractJson.Read<SegmentAnnouncement>(payload.AsSpan(0, m.length));
            }
            catch (ContractException)
            {
                refused++;
            }
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(20_000));
        Assert.True(refused > 10_000, $"Only {refused} of 20,000 mutations were refused: the mutations do not reach the parser.");
    }

    [Fact]
    public void Deeply_nested_payloads_are_refused_without_recursion_running_away()
    {
        var payload = Encoding.UTF8.GetBytes("{\"a\":" + new string('[', 1_000_000) + new string(']', 1_000_000) + "}");
        Assert.Throws<ContractException>(() => ContractJson.Read<LogMessage>(payload));
    }
}
