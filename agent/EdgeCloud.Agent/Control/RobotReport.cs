using EdgeCloud.Agent.Sessions;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Control;

/// <summary>Says what the robot's state is.</summary>
internal sealed class RobotReport(
    string robot, string source, int boundMs, SessionBook book, Recorder recorder, Alarms alarms, TimeProvider clock)
{
    private static readonly string BootId = Wal.SegmentClock.Now().BootId;

    /// <summary>The state message of a revision.</summary>
    public StateMessage State(Revision revision, bool online) => new()
    {
        Robot = robot,
        Revision = revision,
        Online = online,
        TimeNs = clock.NowNs(),
        AgentVersion = AgentVersion.Text,
        BootId = BootId,
        Source = source,
        Sessions = [.. book.All.Where(s => s.State.IsLive() || s.State is SessionState.Finishing).Select(s => Status(s))],
        Topics = [.. recorder.Counts().Where(t => t.IsOffered).Select(t => new OfferedTopic(t.Topic, t.Type, t.Class))],
        Alarms = alarms.Current,
    };

    /// <summary>What the broker says for this robot when it goes silent.</summary>
    public StateMessage Will(long epoch) => new()
    {
        Robot = robot,
        Revision = new Revision(epoch, Revision.WillNumber),
        Online = false,
        TimeNs = clock.NowNs(),
        AgentVersion = AgentVersion.Text,
        BootId = BootId,
        Source = source,
    };

    private SessionStatus Status(Session session)
    {
        var manifest = session.Describe();
        return new SessionStatus
        {
            Session = session.Id,
            Name = manifest.Name,
            State = manifest.State,
            StartedNs = manifest.StartedNs,
            Messages = manifest.Messages,
            Lost = manifest.Ledger.Sum(e => e.Lost()),
            BoundMs = manifest.BoundMs ?? boundMs,
        };
    }
}
