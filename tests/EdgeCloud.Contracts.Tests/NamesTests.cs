namespace EdgeCloud.Contracts.Tests;

public class NamesTests
{
    [Theory]
    [InlineData("amr-01", true)]
    [InlineData("7", true)]
    [InlineData("a23456789012345678901234567890123456789012345678901234567890123", true)]
    [InlineData("a234567890123456789012345678901234567890123456789012345678901234", false)]
    [InlineData("", false)]
    [InlineData("-amr", false)]
    [InlineData("AMR", false)]
    [InlineData("amr/../other", false)]
    [InlineData("amr+", false)]
    [InlineData("amr-01\n", false)]
    [InlineData(null, false)]
    public void A_robot_id_fits_a_topic_level_and_a_key(string? id, bool valid) => Assert.Equal(valid, RobotId.IsValid(id));

    [Fact]
    public void Keys_follow_the_layout()
    {
        var session = Guid.Parse("01936b2e-7c5f-7d4a-8f00-0123456789ab");
        var prefix = ObjectKeys.SessionPrefix("/fleet/", "amr-01", DateTimeOffset.Parse("2026-11-21T23:30:00-05:00"), session);

        Assert.Equal("fleet/robot=amr-01/date=2026-11-22/session=01936b2e-7c5f-7d4a-8f00-0123456789ab/", prefix);
        Assert.Equal(prefix + "000007.mcap", ObjectKeys.Segment(prefix, 7));
        Assert.Equal(prefix + "000007.manifest.json", ObjectKeys.Manifest(prefix, 7));
        Assert.Equal(prefix + "session.json", ObjectKeys.Certificate(prefix));
        Assert.StartsWith(ObjectKeys.RobotPrefix("fleet", "amr-01"), prefix);
        Assert.Equal("robot=amr-01/", ObjectKeys.RobotPrefix("", "amr-01"));
        Assert.Equal("1000000", ObjectKeys.SegmentName(1_000_000));
    }

    [Fact]
    public void A_key_is_never_made_of_something_that_is_no_robot_id() =>
        Assert.Throws<ArgumentException>(() => ObjectKeys.SessionPrefix("", "../etc", DateTimeOffset.UnixEpoch, Guid.Empty));

    [Fact]
    public void Every_topic_parses_back_to_its_robot_and_kind()
    {
        foreach (var kind in Enum.GetValues<MqttTopicKind>())
        {
            Assert.True(MqttTopics.TryParse(MqttTopics.For("amr-01", kind), out var robot, out var parsed));
            Assert.Equal(("amr-01", kind), (robot, parsed));
        }
    }

    [Theory]
    [InlineData("edgecloud/v1/amr-01")]
    [InlineData("edgecloud/v1/amr-01/")]
    [InlineData("edgecloud/v1//state")]
    [InlineData("edgecloud/v1/AMR/state")]
    [InlineData("edgecloud/v1/amr-01/cmd/other")]
    [InlineData("edgecloud/v2/amr-01/state")]
    [InlineData("")]
    public void A_foreign_topic_is_not_ours(string topic) => Assert.False(MqttTopics.TryParse(topic, out _, out _));

    [Theory]
    [InlineData("/camera/*", "/camera/front/image", true)]
    [InlineData("/camera/*", "/camera", false)]
    [InlineData("*/image", "/camera/front/image", true)]
    [InlineData("/a*b*c", "/aXbYbZc", true)]
    [InlineData("/a*b*c", "/aXbYbZ", false)]
    [InlineData("*", "/anything", true)]
    [InlineData("/tf", "/tf_static", false)]
    [InlineData("", "/tf", false)]
    public void A_star_stands_for_any_characters(string pattern, string topic, bool selected) =>
        Assert.Equal(selected, new TopicSelection { Include = [pattern] }.Selects(topic));

    [Fact]
    public void Exclusion_wins_and_no_inclusion_means_all()
    {
        Assert.True(TopicSelection.All.Selects("/anything"));
        Assert.False(new TopicSelection { Include = ["*"], Exclude = ["/camera/*"] }.Selects("/camera/front"));
    }
}
