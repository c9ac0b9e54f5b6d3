using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>What the list of sessions is narrowed to, its order and its page: all of it in the address.</summary>
public sealed record SessionFilter
{
    public const int PageSize = 50;

    public string Robot { get; init; } = "";
    public SessionState? State { get; init; }
    /// <summary>Part of a robot's or session's name, or a session id.</summary>
    public string Text { get; init; } = "";
    /// <summary>Only sessions that lost messages.</summary>
    public bool Lossy { get; init; }
    public bool OldestFirst { get; init; }
    /// <summary>From 1.</summary>
    public int Page { get; init; } = 1;

    public bool IsEmpty => Robot.Length == 0 && State is null && Text.Length == 0 && !Lossy;

    /// <summary>The address that shows this.</summary>
    public string Address()
    {
        var query = new List<string>();
        if (Robot.Length > 0)
            query.Add($"robot={Uri.EscapeDataString(Robot)}");
        if (State is { } state)
            query.Add($"state={state.ToString().ToLowerInvariant()}");
        if (Text.Length > 0)
            query.Add($"q={Uri.EscapeDataString(Text)}");
        if (Lossy)
            query.Add("loss=1");
        if (OldestFirst)
            query.Add("sort=start");
        if (Page > 1)
            query.Add($"page={Page}");
        return query.Count == 0 ? "/sessions" : $"/sessions?{string.Join('&', query)}";
    }

    /// <summary>Queries the page.</summary>
    public async Task<SessionList> QueryAsync(CatalogueDb db, CancellationToken cancellation)
    {
        var passing = Narrow(db.Sessions.AsNoTracking());
        // The id settles the order of sessions that started in the same microsecond, so that no page shows one twice.
        var ordered = OldestFirst
            ? passing.OrderBy(s => s.StartedAt).ThenBy(s => s.Id)
            : passing.OrderByDescending(s => s.StartedAt).ThenByDescending(s => s.Id);
        var sessions = await ordered.Skip((Page - 1) * PageSize).Take(PageSize).ToListAsync(cancellation);
        var total = sessions.Count < PageSize && (Page == 1 || sessions.Count > 0)
            ? ((Page - 1) * PageSize) + sessions.Count
            : await passing.CountAsync(cancellation);
        var totals = await SessionTotals.OfAsync(db, sessions, cancellation);
        return new SessionList(
            [.. sessions.Select(s => SessionRow.Of(s, totals.GetValueOrDefault(s.Id, SessionTotals.None)))],
            total,
            IsEmpty ? total : await db.Sessions.CountAsync(cancellation),
            await db.Robots.OrderBy(r => r.Id).Select(r => r.Id).ToListAsync(cancellation));
    }

    private IQueryable<Session> Narrow(IQueryable<Session> sessions)
    {
        if (Robot.Length > 0)
            sessions = sessions.Where(s => s.Robot == Robot);
        if (State is { } state)
            sessions = sessions.Where(s => s.State == state);
        if (Lossy)
            sessions = sessions.Where(s => s.Lost > 0);
        if (Guid.TryParse(Text, out var id))
            return sessions.Where(s => s.Id == id);
        if (Text.Length > 0)
        {
            var pattern = $"%{Text.Replace(@"\", @"\\").Replace("%", @"\%").Replace("_", @"\_")}%";
            sessions = sessions.Where(s => EF.Functions.ILike(s.Name, pattern) || EF.Functions.ILike(s.Robot, pattern));
        }
        return sessions;
    }
}
