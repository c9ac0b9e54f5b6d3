using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.ControlPlane.Sessions.Pages;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Fleet.Pages;

/// <summary>What the robot page shows.</summary>
public sealed record RobotDetail
{
    public required string Robot { get; init; }
    public required bool Online { get; init; }
    public required DateTimeOffset? LastSeenAt { get; init; }
    public required StateMessage? State { get; init; }
    public required TelemetryMessage? Telemetry { get; init; }
    public required long Lost24h { get; init; }
    public required IReadOnlyList<string> Tags { get; init; }
    /// <summary>The newest commands, newest first.</summary>
    public required IReadOnlyList<CommandRow> Commands { get; init; }
    /// <summary>The newest sessions, newest first.</summary>
    public required IReadOnlyList<RecentSession> Sessions { get; init; }
    /// <summary>The newest lines of its log, newest first.</summary>
    public required IReadOnlyList<LogRow> Log { get; init; }

    /// <summary>Where the recordings of the last 24 hours are; null on the other tabs.</summary>
    public Coverage? Day { get; init; }
    /// <summary>Usual rates of topics in what was recorded last, Hz; null on the other tabs.</summary>
    public IReadOnlyDictionary<string, double>? UsualHz { get; init; }
    /// <summary>Figures over time; null on the other tabs.</summary>
    public TelemetryHistory? History { get; init; }
    /// <summary>A page of the log; null on the other tabs.</summary>
    public RobotLogPage? LogPage { get; init; }

    /// <summary>Sessions that can be told something, as the robot told last.</summary>
    public IReadOnlyList<SessionStatus> Active => State?.Sessions ?? [];
}

/// <summary>What its last 24 hours hold, as a page keeps it for a moment: it reads every segment of a day.</summary>
internal sealed record RobotLately(string Robot, DateTimeOffset At, Coverage Day, IReadOnlyDictionary<string, double> UsualHz)
{
    /// <summary>After this long it is read again.</summary>
    public static readonly TimeSpan Lifetime = TimeSpan.FromSeconds(10);
}

/// <summary>A command in a robot's list.</summary>
public sealed record CommandRow
{
    public required Guid Id { get; init; }
    public required CommandKind Kind { get; init; }
    public required CommandStatus Status { get; init; }
    public required string Reason { get; init; }
    public required double? Percent { get; init; }
    public required Guid? Session { get; init; }
    public required string Issuer { get; init; }
    public required DateTimeOffset IssuedAt { get; init; }
    public required DateTimeOffset ExpiresAt { get; init; }
    public required DateTimeOffset UpdatedAt { get; init; }

    public bool IsOver => Command.IsEnd(Status);
}

/// <summary>A session in a robot's list.</summary>
public sealed record RecentSession(
    Guid Id, string Name, SessionState State, DateTimeOffset StartedAt, IReadOnlyDictionary<Custody, long> BytesByCustody, long Lost);

/// <summary>A line of a robot's log.</summary>
public sealed record LogRow(DateTimeOffset At, string Level, string Source, string Text);

/// <summary>The queries behind the robot page.</summary>
internal static class RobotQueries
{
    private const int CommandsShown = 12;
    private const int SessionsShown = 6;
    private const int LogLinesShown = 12;
    private const int SegmentsForUsualHz = 5;

    public static async Task<RobotDetail?> DetailAsync(CatalogueDb db, string id, TimeProvider clock, CancellationToken cancellation)
    {
        var robot = await db.Robots.AsNoTracking().SingleOrDefaultAsync(r => r.Id == id, cancellation);
        if (robot is null)
            return null;
        return new RobotDetail
        {
            Robot = id,
            Online = robot.Online,
            LastSeenAt = robot.LastSeenAt,
            State = robot.State,
            Telemetry = robot.Telemetry,
            Tags = robot.Tags,
            Lost24h = (await FleetApi.LostAsync(db, [id], clock, cancellation)).GetValueOrDefault(id),
            Commands = await Rows(db.Commands.Where(c => c.Robot == id)
                .OrderByDescending(c => c.IssuedAt).ThenByDescending(c => c.Id).Take(CommandsShown)).ToListAsync(cancellation),
            Sessions = await SessionsAsync(db, id, cancellation),
            Log = await db.RobotLogs.Where(l => l.Robot == id)
                .OrderByDescending(l => l.ReceivedAt).Take(LogLinesShown)
                .Select(l => new LogRow(l.At, l.Level, l.Source, l.Text)).ToListAsync(cancellation),
        };
    }

    /// <summary>Commands as pages show them.</summary>
    public static IQueryable<CommandRow> Rows(IQueryable<Command> commands) => commands.Select(c => new CommandRow
    {
        Id = c.Id,
        Kind = c.Kind,
        Status = c.Status,
        Reason = c.Reason,
        Percent = c.Percent,
        Session = c.Session,
        Issuer = c.Issuer,
        IssuedAt = c.IssuedAt,
        ExpiresAt = c.ExpiresAt,
        UpdatedAt = c.UpdatedAt,
    });

    /// <summary>The custody of what was recorded in the last 24 hours, by its time.</summary>
    public static async Task<Coverage> DayAsync(CatalogueDb db, string robot, TimeProvider clock, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var (fromNs, toNs) = (UnixTime.ToNanoseconds(now - TimeSpan.FromHours(24)), UnixTime.ToNanoseconds(now));
        var since = now - TimeSpan.FromHours(24);
        var segments = await db.Segments.AsNoTracking().Where(s => s.Robot == robot && s.AnnouncedAt >= since)
            .Select(s => new SegmentSpan(s.Sequence, s.LogTimeStartNs, s.LogTimeEndNs, s.Custody, s.Lost)).ToListAsync(cancellation);
        return Coverage.OfCustody(fromNs, toNs, segments);
    }

    /// <summary>Usual rates of the topics in the newest segments, Hz.</summary>
    public static async Task<IReadOnlyDictionary<string, double>> UsualHzAsync(CatalogueDb db, string robot, CancellationToken cancellation)
    {
        var manifests = await db.Segments.AsNoTracking().Where(s => s.Robot == robot)
            .OrderByDescending(s => s.AnnouncedAt).Take(SegmentsForUsualHz).Select(s => s.Manifest).ToListAsync(cancellation);
        return manifests.SelectMany(m => m.Topics).Where(t => t.Messages > 1 && t.LastLogTimeNs > t.FirstLogTimeNs)
            .GroupBy(t => t.Topic, t => (t.Messages - 1) * 1e9 / (t.LastLogTimeNs - t.FirstLogTimeNs))
            .ToDictionary(g => g.Key, g => g.Order().ElementAt(g.Count() / 2));
    }

    private static async Task<IReadOnlyList<RecentSession>> SessionsAsync(CatalogueDb db, string robot, CancellationToken cancellation)
    {
        var sessions = await db.Sessions.AsNoTracking().Where(s => s.Robot == robot)
            .OrderByDescending(s => s.StartedAt).ThenByDescending(s => s.Id).Take(SessionsShown).ToListAsync(cancellation);
        var totals = await SessionTotals.OfAsync(db, sessions, cancellation);
        return [.. sessions.Select(s => new RecentSession(
            s.Id, s.Name, s.State, s.StartedAt, totals.GetValueOrDefault(s.Id, SessionTotals.None).BytesByCustody, s.Lost))];
    }
}
