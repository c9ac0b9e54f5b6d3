using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>Robots and commands in the API.</summary>
public static class FleetApi
{
    /// <summary>Maps the endpoints.</summary>
    public static void MapFleetApi(this IEndpointRouteBuilder api)
    {
        var robots = api.MapGroup("/robots").WithTags("robots").RequireAuthorization(Policies.Read);
        robots.MapGet("", ListRobotsAsync).WithName("listRobots").WithSummary("List robots by id, without their topics").ProducesValidationProblem();
        robots.MapGet("/{robot}", GetRobotAsync).WithName("getRobot").WithSummary("Show a robot").ProducesProblem(404);
        robots.MapGet("/{robot}/commands", ListCommandsAsync).WithName("listCommands").WithSummary("List a robot's commands, newest first")
            .ProducesValidationProblem().ProducesProblem(404);
        robots.MapPost("/{robot}/commands", IssueCommandAsync).WithName("issueCommand").WithSummary("Command a robot")
            .RequireAuthorization(Policies.Command).ProducesValidationProblem().ProducesProblem(404);
        api.MapGet("/commands/{id:guid}", GetCommandAsync).WithName("getCommand").WithSummary("Show a command and its last answer")
            .WithTags("robots").RequireAuthorization(Policies.Read).ProducesProblem(404);
    }

    private static async Task<Ok<Page<RobotView>>> ListRobotsAsync(CatalogueDb db, TimeProvider clock, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        var after = cursor is null ? "" : Paging.ReadKey(cursor);
        var rows = await Robot.Brief(db).Where(r => string.Compare(r.Id, after) > 0).OrderBy(r => r.Id).Take(count + 1).ToListAsync(cancellation);
        var lost = await LostAsync(db, [.. rows.Select(r => r.Id)], clock, cancellation);
        return TypedResults.Ok(Paging.Of<RobotView>([.. rows.Select(r => View(r, lost))], count, r => Paging.Cursor(r.Robot)));
    }

    private static async Task<Ok<RobotView>> GetRobotAsync(CatalogueDb db, TimeProvider clock, string robot, CancellationToken cancellation)
    {
        var row = await db.Robots.AsNoTracking().SingleOrDefaultAsync(r => r.Id == robot, cancellation)
            ?? throw RequestException.NotFound($"There is no robot '{robot}'.");
        return TypedResults.Ok(View(row, await LostAsync(db, [robot], clock, cancellation)));
    }

    private static async Task<Ok<Page<CommandView>>> ListCommandsAsync(
        CatalogueDb db, string robot, string? cursor, int? limit, CancellationToken cancellation)
    {
        var count = Paging.Limit(limit);
        if (!await db.Robots.AnyAsync(r => r.Id == robot, cancellation))
            throw RequestException.NotFound($"There is no robot '{robot}'.");
        var commands = db.Commands.AsNoTracking().Where(c => c.Robot == robot);
        if (cursor is not null)
        {
            var (at, id) = Paging.ReadTimeAndId(cursor);
            commands = commands.Where(c => EF.Functions.LessThan(ValueTuple.Create(c.IssuedAt, c.Id), ValueTuple.Create(at, id)));
        }
        var rows = await commands.OrderByDescending(c => c.IssuedAt).ThenByDescending(c => c.Id).Take(count + 1).ToListAsync(cancellation);
        return TypedResults.Ok(Paging.Of<CommandView>([.. rows.Select(View)], count, c => Paging.Cursor(c.IssuedAt, c.Id)));
    }

    private static async Task<Accepted<CommandView>> IssueCommandAsync(
        CommandIssuer issuer, HttpContext context, string robot, CommandRequest request, CancellationToken cancellation)
    {
        var command = await issuer.IssueAsync(robot, request, Actor.Of(context), cancellation);
        return TypedResults.Accepted($"{Api.Root}/commands/{command.Id}", View(command));
    }

    private static async Task<Ok<CommandView>> GetCommandAsync(CatalogueDb db, Guid id, CancellationToken cancellation)
    {
        var command = await db.Commands.AsNoTracking().SingleOrDefaultAsync(c => c.Id == id, cancellation)
            ?? throw RequestException.NotFound($"There is no command {id}.");
        return TypedResults.Ok(View(command));
    }

    private static RobotView View(Robot robot, IReadOnlyDictionary<string, long> lost) => new()
    {
        Robot = robot.Id,
        Online = robot.Online,
        LastSeenAt = robot.LastSeenAt,
        State = robot.State,
        Telemetry = robot.Telemetry,
        Lost24h = lost.GetValueOrDefault(robot.Id),
        Tags = robot.Tags,
    };

    internal static CommandView View(Command command) => new()
    {
        Id = command.Id,
        Robot = command.Robot,
        Command = command.Kind,
        Status = command.Status,
        Reason = command.Reason,
        Session = command.Session,
        Percent = command.Percent,
        Issuer = command.Issuer,
        IssuedAt = command.IssuedAt,
        ExpiresAt = command.ExpiresAt,
        UpdatedAt = command.UpdatedAt,
    };

    /// <summary>Messages lost in segments that were announced in the last 24 hours, by robot; robots without losses may be absent.</summary>
    public static Task<Dictionary<string, long>> LostAsync(
        CatalogueDb db, IReadOnlyList<string> robots, TimeProvider clock, CancellationToken cancellation)
    {
        var since = clock.GetUtcNow() - TimeSpan.FromHours(24);
        return db.Segments
            .Where(s => robots.Contains(s.Robot) && s.AnnouncedAt >= since && s.Lost > 0)
            .GroupBy(s => s.Robot)
            .Select(g => new { Robot = g.Key, Lost = g.Sum(s => s.Lost) })
            .ToDictionaryAsync(g => g.Robot, g => g.Lost, cancellation);
    }
}
