using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Sessions.Pages;

namespace EdgeCloud.Portal.Tests;

public sealed class TimelineTests
{
    private const long Second = 1_000_000_000;
    private const long Start = 1_700_000_000 * Second;

    [Fact]
    public void A_steady_topic_that_falls_silent_has_a_gap_from_its_last_message_to_its_next()
    {
        var timeline = Draw([Segment(1, 0, 60, Part("/imu", 0, 60, 10)), Segment(2, 60, 120, Part("/odom", 60, 120, 10)), Segment(3, 120, 180, Part("/imu", 120, 180, 10))]);

        var gap = Assert.Single(timeline.Incidents, i => i.Topic == "/imu");
        Assert.Equal((IncidentKind.Silence, 60L, 120L), (gap.Kind, (gap.FromNs - Start) / Second, (gap.ToNs - Start) / Second));
        Assert.Contains(Lane(timeline, "/imu").Runs, r => r.State == (byte)LaneState.Gap);
    }

    [Fact]
    public void A_steady_topic_that_comes_late_is_not_missed_before_and_one_that_dies_is_missed_to_the_end()
    {
        var timeline = Draw([Segment(1, 0, 60, Part("/odom", 0, 60, 10)), Segment(2, 60, 120, Part("/odom", 60, 90, 10), Part("/late", 60, 120, 10))]);

        Assert.DoesNotContain(timeline.Incidents, i => i.Topic == "/late");
        var death = Assert.Single(timeline.Incidents, i => i.Topic == "/odom");
        Assert.Equal((90L, 120L), ((death.FromNs - Start) / Second, (death.ToNs - Start) / Second));
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(3, 30)]
    public void Topics_without_a_steady_rate_have_marks_and_no_gaps(int messages, int seconds)
    {
        var rare = new TopicPart("/map", "nav_msgs/msg/OccupancyGrid", "cdr", messages, 100, Start + (5 * Second), Start + ((5 + seconds) * Second));
        var timeline = Draw([Segment(1, 0, 60, rare), Segment(2, 60, 120, Part("/imu", 60, 120, 10))]);

        var lane = Lane(timeline, "/map");
        Assert.Null(lane.ExpectedHz);
        Assert.All(lane.Runs, r => Assert.Equal((byte)LaneState.Event, r.State));
        Assert.DoesNotContain(timeline.Incidents, i => i.Topic == "/map");
    }

    [Fact]
    public void Darkness_follows_the_rate_against_the_usual_one_and_the_worst_wins_in_a_pixel()
    {
        var segments = Enumerable.Range(0, 100).Select(i => Segment(i + 1, i * 60, (i + 1) * 60, Part("/imu", i * 60, (i + 1) * 60, i == 50 ? 2 : 10))).ToList();

        var lane = Lane(Draw(segments), "/imu");

        Assert.Equal([(byte)LaneState.Full, (byte)LaneState.Little, (byte)LaneState.Full], lane.Runs.Select(r => r.State));
        Assert.InRange(lane.Runs[1].To - lane.Runs[1].From, 10, 12);
    }

    [Fact]
    public void A_pause_is_no_gap_of_any_topic()
    {
        var timeline = Draw(
            [Segment(1, 0, 60, Part("/imu", 0, 60, 10)), Segment(2, 120, 180, Part("/imu", 120, 180, 10))],
            [new PauseInterval(Start + (60 * Second), Start + (120 * Second))]);

        Assert.Empty(timeline.Incidents);
        Assert.Contains(Lane(timeline, "/imu").Runs, r => r.State == (byte)LaneState.Paused);
    }

    [Fact]
    public void A_loss_tells_how_many_why_and_in_which_segment()
    {
        var lossy = Segment(2, 60, 120, Part("/imu", 60, 120, 10)) with { Losses = [new TopicLoss("/imu", 3, 0, 4)] };
        var timeline = Draw([Segment(1, 0, 60, Part("/imu", 0, 60, 10)), lossy]);

        var loss = Assert.Single(timeline.Incidents);
        Assert.Equal((IncidentKind.Loss, 7L, 2, "/imu"), (loss.Kind, loss.Count, loss.Sequence, loss.Topic));
        Assert.Contains("could not keep up", loss.Cause, StringComparison.Ordinal);
        Assert.Contains("transport", loss.Cause, StringComparison.Ordinal);
        Assert.Equal(7, Assert.Single(Lane(timeline, "/imu").Losses).Lost);
    }

    [Fact]
    public void Losses_nearer_than_a_mark_is_wide_are_one_mark_with_their_sum()
    {
        var segments = Enumerable.Range(0, 2000).Select(i => Segment(i + 1, i * 60, (i + 1) * 60, Part("/imu", i * 60, (i + 1) * 60, 10)) with { Losses = [new TopicLoss("/imu", 1, 0, 0)] }).ToList();

        var losses = Lane(Draw(segments), "/imu").Losses;

        Assert.Equal(2000, losses.Sum(l => l.Lost));
        Assert.True(losses.Count <= Coverage.Columns / 3);
        Assert.All(losses.Zip(losses.Skip(1)), pair => Assert.True(pair.Second.At - pair.First.At >= 0.3 - 1e-9));
    }

    [Fact]
    public void A_chosen_range_shows_itself_only_and_its_figures_are_its_share()
    {
        var view = new SessionAddress { Session = Guid.NewGuid(), FromNs = Start + (30 * Second), ToNs = Start + (90 * Second) };
        var timeline = Draw(
            [Segment(1, 0, 60, Part("/imu", 0, 60, 10)), Segment(2, 60, 120, Part("/imu", 60, 120, 10)) with { Span = Span(2, 60, 120, Custody.Sealed) }],
            view: view);

        Assert.True(timeline.IsPart);
        Assert.Equal((30L, 90L), ((timeline.Range.FromNs - Start) / Second, (timeline.Range.ToNs - Start) / Second));
        Assert.Equal(1000, timeline.Figures.Bytes);
        Assert.InRange(timeline.Figures.Messages, 590, 610);
        Assert.Equal((1000L, 1), (timeline.Figures.OnRobotBytes, timeline.Figures.OnRobotSegments));
        Assert.Equal([Custody.Acknowledged, Custody.Sealed], timeline.Range.Custody.Select(c => c.State));
    }

    [Theory]
    [InlineData(-500, -400)]
    [InlineData(500, 600)]
    [InlineData(50, 50)]
    public void A_range_outside_of_the_session_or_without_length_shows_the_whole(int from, int to)
    {
        var view = new SessionAddress { Session = Guid.NewGuid(), FromNs = Start + (from * Second), ToNs = Start + (to * Second) };

        Assert.False(Draw([Segment(1, 0, 120, Part("/imu", 0, 120, 10))], view: view).IsPart);
    }

    [Fact]
    public void A_segment_that_was_given_up_is_one_incident_with_its_reason()
    {
        var given = Segment(2, 60, 120, Part("/imu", 60, 120, 10)) with { Span = Span(2, 60, 120, Custody.Discarded), Reason = "the disk was full" };
        var timeline = Draw([Segment(1, 0, 60, Part("/imu", 0, 60, 10)), given, Segment(3, 120, 180, Part("/imu", 120, 180, 10))]);

        var incident = Assert.Single(timeline.Incidents);
        Assert.Equal((IncidentKind.Discarded, "the disk was full", 2), (incident.Kind, incident.Cause, incident.Sequence));
    }

    [Fact]
    public void The_chain_breaks_where_a_segment_names_another_hash()
    {
        var parts = new SessionParts();
        parts.Put(Segment(1, 0, 60) with { Sha256 = "a" });
        parts.Put(Segment(2, 60, 120) with { Sha256 = "b", PreviousSha256 = "a" });
        Assert.Equal(0, parts.ChainBreak());

        parts.Put(Segment(3, 120, 180) with { Sha256 = "c", PreviousSha256 = "x" });
        Assert.Equal(3, parts.ChainBreak());
    }

    [Fact]
    public void Whatever_the_segments_are_every_run_lies_in_the_lane_and_no_two_overlap()
    {
        var random = new Random(3);
        for (var round = 0; round < 100; round++)
        {
            var segments = Enumerable.Range(1, random.Next(0, 30)).Select(i =>
            {
                var from = random.Next(-20, 400);
                var to = from + random.Next(0, 90);
                var parts = Enumerable.Range(0, random.Next(0, 4)).Select(t => Part($"/t{t}", random.Next(from, to + 1), to, random.Next(0, 20) + 1)).ToArray();
                return Segment(i, from, to, parts) with { Span = Span(i, from, to, (Custody)random.Next(0, 8)), Losses = random.Next(3) == 0 ? [new TopicLoss("/t1", random.Next(0, 3), 0, 0)] : [] };
            }).ToList();
            var view = new SessionAddress { Session = Guid.NewGuid(), FromNs = Start + (random.Next(-50, 400) * Second), ToNs = Start + (random.Next(-50, 400) * Second) };

            foreach (var lane in Draw(segments, view: view).Lanes)
            {
                var end = 0;
                foreach (var run in lane.Runs)
                {
                    Assert.InRange(run.From, end, Coverage.Columns);
                    Assert.InRange(run.To, run.From + 1, Coverage.Columns);
                    end = run.To;
                }
                Assert.All(lane.Losses, l => Assert.InRange(l.At, 0, 100));
            }
        }
    }

    private static TopicLane Lane(Timeline timeline, string topic) => timeline.Lanes.Single(l => l.Topic == topic);

    private static SegmentSpan Span(int sequence, int from, int to, Custody custody) => new(sequence, Start + (from * Second), Start + (to * Second), custody, 0);

    private static SegmentPart Segment(int sequence, int from, int to, params TopicPart[] topics) =>
        new(Span(sequence, from, to, Custody.Acknowledged), 1000, "", "", null, topics, []);

    private static TopicPart Part(string topic, int from, int to, double hz) =>
        new(topic, "t/msg/T", "cdr", (long)((to - from) * hz) + 1, (to - from) * 100, Start + (from * Second), Start + (to * Second));

    private static Timeline Draw(IReadOnlyList<SegmentPart> segments, IReadOnlyList<PauseInterval>? pauses = null, SessionAddress? view = null)
    {
        var parts = new SessionParts();
        foreach (var segment in segments)
            parts.Put(segment);
        var end = segments.Count > 0 ? segments.Max(s => s.Span.ToNs) : Start + Second;
        return Timeline.Of(Start, Math.Max(end, Start + Second), isOver: true, parts, pauses ?? [], view ?? new SessionAddress { Session = Guid.NewGuid() });
    }
}
