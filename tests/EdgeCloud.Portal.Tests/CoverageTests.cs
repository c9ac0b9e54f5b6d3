using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Sessions.Pages;

namespace EdgeCloud.Portal.Tests;

public sealed class CoverageTests
{
    private const long Second = 1_000_000_000;
    private const long Start = 1_700_000_000 * Second;

    [Fact]
    public void Segments_that_follow_each_other_closely_are_one_recorded_stretch()
    {
        var coverage = Over(100, isOver: true, [Segment(1, 0, 49), Segment(2, 50, 100)]);

        var only = Assert.Single(coverage.Presence);
        Assert.Equal((Presence.Recorded, 0, 100), (only.State, only.From, Math.Round(only.Width, 6)));
    }

    [Fact]
    public void A_hole_longer_than_the_tolerance_is_a_gap()
    {
        var coverage = Over(100, isOver: true, [Segment(1, 0, 40), Segment(2, 60, 100)]);

        Assert.Equal([Presence.Recorded, Presence.Gap, Presence.Recorded], coverage.Presence.Select(p => p.State));
        Assert.InRange(coverage.Presence[1].Width, 19.8, 20.1);
    }

    [Fact]
    public void What_a_running_session_has_not_announced_is_unreported_and_no_gap()
    {
        var coverage = Over(100, isOver: false, [Segment(1, 0, 60)]);

        Assert.Equal([Presence.Recorded, Presence.Unreported], coverage.Presence.Select(p => p.State));
    }

    [Fact]
    public void A_session_without_segments_is_unreported_while_it_runs_and_a_gap_when_it_is_over()
    {
        Assert.Equal(Presence.Unreported, Assert.Single(Over(10, isOver: false, []).Presence).State);
        Assert.Equal(Presence.Gap, Assert.Single(Over(10, isOver: true, []).Presence).State);
    }

    [Fact]
    public void A_pause_is_no_gap()
    {
        var coverage = Over(100, isOver: true, [Segment(1, 0, 40), Segment(2, 60, 100)], [new PauseInterval(Start + (40 * Second), Start + (60 * Second))]);

        Assert.Equal([Presence.Recorded, Presence.Paused, Presence.Recorded], coverage.Presence.Select(p => p.State));
    }

    [Fact]
    public void A_short_hole_beside_a_pause_is_no_gap_and_a_short_segment_that_was_given_up_is()
    {
        var pause = new PauseInterval(Start + (41 * Second), Start + (60 * Second));
        Assert.DoesNotContain(Over(100, isOver: true, [Segment(1, 0, 40), Segment(2, 61, 100)], [pause]).Presence, p => p.State == Presence.Gap);

        var given = Over(1000, isOver: true, [Segment(1, 0, 500), Segment(2, 500, 501) with { Custody = Custody.Discarded }, Segment(3, 501, 1000)]);
        Assert.Contains(given.Presence, p => p.State == Presence.Gap);
    }

    [Fact]
    public void In_a_column_with_many_segments_the_worst_custody_wins()
    {
        var segments = Enumerable.Range(0, 10_000)
            .Select(i => new SegmentSpan(i + 1, Start + (i * Second), Start + ((i + 1) * Second), i == 5000 ? Custody.Discarded : Custody.Released, 0));

        var coverage = Over(10_000, isOver: true, [.. segments]);

        Assert.Contains(coverage.Custody, c => c.State == Custody.Discarded);
        Assert.Contains(coverage.Presence, p => p.State == Presence.Gap);
        Assert.True(coverage.Custody.Count <= 3);
    }

    [Fact]
    public void A_loss_stands_where_its_segment_is()
    {
        var coverage = Over(100, isOver: true, [Segment(1, 0, 50), Segment(2, 50, 100) with { Lost = 7 }]);

        var loss = Assert.Single(coverage.Losses);
        Assert.Equal((75.0, 2, 7L), (Math.Round(loss.At, 3), loss.Sequence, loss.Lost));
    }

    [Fact]
    public void Stretches_cover_the_whole_width_without_overlap_whatever_the_segments_are()
    {
        var random = new Random(11);
        for (var round = 0; round < 200; round++)
        {
            var segments = Enumerable.Range(1, random.Next(0, 40)).Select(i =>
            {
                var from = random.Next(-50, 200);
                return new SegmentSpan(i, Start + (from * Second), Start + ((from + random.Next(0, 60)) * Second), (Custody)random.Next(0, 8), random.Next(0, 2));
            }).ToList();

            var coverage = Over(100, random.Next(2) == 0, segments, [new PauseInterval(Start + (random.Next(0, 90) * Second), null)]);

            var at = 0.0;
            foreach (var stretch in coverage.Presence)
            {
                Assert.Equal(at, stretch.From, 6);
                at += stretch.Width;
            }
            Assert.Equal(100, at, 6);
            Assert.All(coverage.Losses, l => Assert.InRange(l.At, 0, 100));
        }
    }

    private static SegmentSpan Segment(int sequence, int from, int to) =>
        new(sequence, Start + (from * Second), Start + (to * Second), Custody.Acknowledged, 0);

    private static Coverage Over(int seconds, bool isOver, IReadOnlyList<SegmentSpan> segments, IReadOnlyList<PauseInterval>? pauses = null) =>
        Coverage.Of(Start, Start + (seconds * Second), isOver, segments, pauses ?? []);
}
