using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Sessions;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeCloud.ControlPlane.Tests.Sessions;

/// <summary>The custody rules, against every order and repetition of what a robot may announce and a check may find.</summary>
public sealed class SegmentTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch;
    private static readonly string Hash = new('a', 64);

    /// <summary>One thing that happens: an announcement that arrives, or the end of a check.</summary>
    private abstract record Step;
    private sealed record Arrives(int Number, Custody Custody) : Step;
    private sealed record Checked(bool IsSound) : Step;

    [Fact]
    public void Only_a_check_acknowledges_and_only_a_check_sends_back() =>
        Prop.ForAll(Steps().ToArbitrary(), steps =>
        {
            var segment = New();
            foreach (var step in steps)
            {
                var before = segment.Custody;
                switch (step)
                {
                    case Arrives arrives:
                        segment.Apply(Announcement(arrives), Now);
                        Assert.False(!IsSafe(before) && IsSafe(segment.Custody), $"{before} became {segment.Custody} by an announcement");
                        Assert.True(segment.Custody >= before, $"{before} became {segment.Custody} by an announcement");
                        break;
                    case Checked { IsSound: true }:
                        Assert.Equal(before == Custody.Uploaded, segment.Acknowledge(Hash, Now));
                        break;
                    case Checked:
                        Assert.Equal(before == Custody.Uploaded, segment.Refuse(Hash, "differs", Now));
                        Assert.True(before != Custody.Uploaded || segment.Custody is Custody.Sealed or Custody.Discarded);
                        break;
                }
                if (IsSafe(before))
                    Assert.True(IsSafe(segment.Custody), $"{before} became {segment.Custody}");
                if (before is Custody.Discarded or Custody.Quarantined)
                    Assert.Equal(before, segment.Custody);
            }
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void A_repeated_or_older_announcement_changes_nothing() =>
        Prop.ForAll(Steps().ToArbitrary(), steps =>
        {
            var segment = New();
            var newest = 0;
            foreach (var arrives in steps.OfType<Arrives>())
            {
                var (custody, announced) = (segment.Custody, segment.Announced);
                var isNews = segment.Apply(Announcement(arrives), Now);
                Assert.Equal(arrives.Number > newest, isNews);
                if (!isNews)
                    Assert.Equal((custody, announced), (segment.Custody, segment.Announced));
                newest = Math.Max(newest, arrives.Number);
            }
        }).QuickCheckThrowOnFailure();

    [Theory]
    [InlineData(Custody.Released)]
    [InlineData(Custody.Acknowledged)]
    public void What_only_the_robot_calls_acknowledged_is_checked_first(Custody claim)
    {
        var segment = New();
        var announcement = Announcement(new Arrives(1, claim));
        segment.Apply(announcement, Now);
        Assert.Equal(Custody.Uploaded, segment.Custody);
        Assert.Null(segment.AnswerTo(announcement));
    }

    [Fact]
    public void A_released_segment_whose_object_fails_the_check_is_put_on_record_as_lost()
    {
        var segment = New();
        segment.Apply(Announcement(new Arrives(1, Custody.Released)), Now);
        segment.Refuse(Hash, "the object is not in the bucket", Now);
        Assert.Equal((Custody.Discarded, "the object is not in the bucket"), (segment.Custody, segment.Reason));
    }

    [Fact]
    public void A_check_of_another_file_concludes_nothing()
    {
        var segment = New();
        segment.Apply(Announcement(new Arrives(1, Custody.Uploaded)), Now);
        Assert.False(segment.Acknowledge(new string('b', 64), Now));
        Assert.False(segment.Refuse(new string('b', 64), "differs", Now));
        Assert.Equal(Custody.Uploaded, segment.Custody);
    }

    [Fact]
    public void An_acknowledged_segment_cannot_become_another_file()
    {
        var segment = New();
        segment.Apply(Announcement(new Arrives(1, Custody.Uploaded)), Now);
        segment.Acknowledge(Hash, Now);
        var other = Announcement(new Arrives(2, Custody.Uploaded));
        other = other with { Manifest = other.Manifest with { Sha256 = new string('b', 64) } };
        Assert.Throws<AnnouncementException>(() => segment.Apply(other, Now));
        Assert.Equal((Custody.Acknowledged, Hash), (segment.Custody, segment.Manifest.Sha256));
    }

    [Fact]
    public void An_acknowledged_segment_that_the_robot_gave_up_meanwhile_is_released()
    {
        var segment = New();
        segment.Apply(Announcement(new Arrives(1, Custody.Uploaded)), Now);
        segment.Acknowledge(Hash, Now);
        segment.Apply(Announcement(new Arrives(2, Custody.Discarded)), Now);
        Assert.Equal(Custody.Released, segment.Custody);
    }

    [Fact]
    public void A_lost_answer_is_given_again()
    {
        var segment = New();
        var uploaded = Announcement(new Arrives(1, Custody.Uploaded));
        segment.Apply(uploaded, Now);
        segment.Refuse(Hash, "differs", Now);
        Assert.Equal((CustodyDecision.Refused, "differs"), (segment.AnswerTo(uploaded)!.Decision, segment.AnswerTo(uploaded)!.Reason));

        var again = Announcement(new Arrives(2, Custody.Uploaded));
        segment.Apply(again, Now);
        segment.Acknowledge(Hash, Now);
        Assert.Equal(CustodyDecision.Acknowledged, segment.AnswerTo(again)!.Decision);
        Assert.Equal(again.Revision, segment.AnswerTo(again)!.Revision);
    }

    private static bool IsSafe(Custody custody) => custody is Custody.Acknowledged or Custody.Released;

    private static Segment New() => new()
    {
        SessionDate = new DateOnly(2026, 1, 1),
        SessionId = Guid.Empty,
        Sequence = 1,
        Robot = "amr-01",
        AnnouncedAt = Now,
    };

    private static SegmentAnnouncement Announcement(Arrives arrives) => new()
    {
        Robot = "amr-01",
        Revision = new Revision(1, arrives.Number),
        Custody = arrives.Custody,
        Manifest = new SegmentManifest
        {
            Robot = "amr-01",
            Session = Guid.Empty,
            Sequence = 1,
            ObjectKey = "k",
            Bytes = 1,
            Sha256 = Hash,
            ETag = "e",
            Clock = new ClockFacts { WallNs = 1, MonotonicNs = 1, BootId = "b" },
            AgentVersion = "1",
        },
    };

    private static Gen<List<Step>> Steps()
    {
        var arrives =
            from number in Gen.Choose(1, 12)
            from custody in Gen.Elements(Enum.GetValues<Custody>())
            select (Step)new Arrives(number, custody);
        var check = Gen.Elements(true, false).Select(isSound => (Step)new Checked(isSound));
        return Gen.ListOf(Gen.Frequency((3, arrives), (1, check))).Select(steps => steps.ToList());
    }
}
