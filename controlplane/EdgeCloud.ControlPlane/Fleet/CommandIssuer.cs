using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>Gives commands to robots, for the API and the portal alike: checks, stores with an audit entry, and has them sent.</summary>
public sealed class CommandIssuer(IDbContextFactory<CatalogueDb> catalogue, CommandDispatch dispatch, TimeProvider clock)
{
    /// <summary>The longest time for which a command may wait for its robot, seconds.</summary>
    public const int MaxExpirySeconds = 604_800;

    private const int MaxNameLength = 200;
    private const int MaxPatterns = 1000;
    private const int MaxPriority = 100;

    /// <summary>Stores a command, queued. Whoever calls has checked <see cref="Policies.Command"/>.</summary>
    /// <exception cref="RequestException">There is no such robot, or the request cannot be carried out by any robot.</exception>
    public async Task<Command> IssueAsync(string robot, CommandRequest request, Actor actor, CancellationToken cancellation)
    {
        Check(request);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        if (!await db.Robots.AnyAsync(r => r.Id == robot, cancellation))
            throw RequestException.NotFound($"There is no robot '{robot}'.");
        var isStart = request.Command == CommandKind.Start;
        if (isStart && request.Session is { } taken && await db.Sessions.IgnoreQueryFilters().AnyAsync(s => s.Id == taken, cancellation))
            throw RequestException.Invalid("session", $"there is a session {taken} already; leave it out to have a new id made");
        var now = clock.GetUtcNow();
        var issued = UnixTime.ToNanoseconds(now);
        var command = Command.New(new CommandMessage
        {
            Id = Guid.CreateVersion7(now),
            Robot = robot,
            Command = request.Command,
            Issuer = actor.Name,
            IssuedNs = issued,
            ExpiresNs = issued + request.ExpiresInSeconds * 1_000_000_000L,
            Session = request.Session ?? (isStart ? Guid.CreateVersion7(now) : null),
            Name = request.Name,
            Selection = request.Selection,
            Upload = request.Upload,
            Priority = request.Priority,
            Range = request.Range,
            Ring = request.Ring,
            BoundMs = request.BoundMs,
            StartPaused = request.StartPaused,
            Span = request.Span,
            Settings = request.Settings,
        });
        db.Commands.Add(command);
        db.Record(actor, "command.issue", $"robot:{robot}", $"{SnakeCaseNames.Of(request.Command.ToString())} {command.Id}", now);
        await db.SaveChangesAsync(cancellation);
        dispatch.Wake();
        return command;
    }

    private static void CheckRing(CommandRequest request, bool isStart)
    {
        if (!isStart && (request.Ring is not null || request.BoundMs is not null))
            throw RequestException.Invalid(request.Ring is not null ? "ring" : "bound_ms", "only a start has one");
        if (request.Ring is { IsValid: false })
            throw RequestException.Invalid("ring", RingSettings.Rule);
        if (request.Ring is not null && request.Upload is not null and not UploadPolicy.OnDemand)
            throw RequestException.Invalid("upload", "a ring uploads what triggers pin: on-demand, or nothing");
        if (request.BoundMs is < 0 or > 60_000)
            throw RequestException.Invalid("bound_ms", "0 to 60,000");
        if (request.Span is not null && request.Command != CommandKind.Trigger)
            throw RequestException.Invalid("span", "only a trigger has one");
        if (request.Span is { IsValid: false })
            throw RequestException.Invalid("span", $"pre_seconds and post_seconds from 0 to {EventClip.MaxSeconds}");
    }

    private static void Check(CommandRequest request)
    {
        if (request.ExpiresInSeconds is < 1 or > MaxExpirySeconds)
            throw RequestException.Invalid("expires_in_seconds", $"1 to {MaxExpirySeconds}");
        if (request.Name.Length > MaxNameLength || request.Name.Contains('\0'))
            throw RequestException.Invalid("name", $"at most {MaxNameLength} characters");
        var isStart = request.Command == CommandKind.Start;
        if (!isStart && request.Command != CommandKind.Trigger && request.Name.Length > 0)
            throw RequestException.Invalid("name", "only a start and a trigger have one");
        if (!isStart && request.Selection is not null)
            throw RequestException.Invalid("selection", "only a start has one");
        if (!isStart && request.StartPaused)
            throw RequestException.Invalid("start_paused", "only a start has one");
        CheckRing(request, isStart);
        if (request.Selection is { } selection && selection.Include.Count + selection.Exclude.Count > MaxPatterns)
            throw RequestException.Invalid("selection", $"at most {MaxPatterns} patterns");
        if (!isStart && (request.Upload is not null || request.Priority != 0))
            throw RequestException.Invalid(request.Upload is not null ? "upload" : "priority", "only a start has one");
        if (request.Upload is { } upload && !UploadPolicy.IsValid(upload))
            throw RequestException.Invalid("upload", UploadPolicy.Rule);
        if (request.Priority is < -MaxPriority or > MaxPriority)
            throw RequestException.Invalid("priority", $"-{MaxPriority} to {MaxPriority}");
        if (request.Range is not null && request.Command != CommandKind.Fetch)
            throw RequestException.Invalid("range", "only a fetch has one");
        if (request.Range is { IsEmpty: true })
            throw RequestException.Invalid("range", "from_ns is before to_ns");
        if ((request.Settings is { Count: > 0 }) != (request.Command == CommandKind.Configure))
            throw RequestException.Invalid("settings", "a configure command has at least one, other commands have none");
    }
}
