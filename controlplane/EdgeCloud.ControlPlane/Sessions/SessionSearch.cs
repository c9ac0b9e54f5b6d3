using System.Globalization;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>In what order sessions are found. The id settles ties, so that pages neither repeat nor skip one.</summary>
public enum SessionOrder
{
    /// <summary>By start, newest first.</summary>
    Newest,
    /// <summary>By start, oldest first.</summary>
    Oldest,
    /// <summary>By messages lost, most first.</summary>
    MostLost,
}

/// <summary>
/// Which sessions are wanted, for the API and the page alike: all conditions hold together, those that are left empty ask for nothing.
/// Every condition has an index (see infra/decisions/0502).
/// </summary>
public sealed record SessionSearch
{
    private const int MaxResolvedTopics = 1000;

    /// <summary>Robot id.</summary>
    public string Robot { get; init; } = "";
    /// <summary>Only sessions that went on at or after this.</summary>
    public DateTimeOffset? From { get; init; }
    /// <summary>Only sessions that began before this.</summary>
    public DateTimeOffset? To { get; init; }
    /// <summary>Tags that the session has, all of them.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];
    /// <summary>A topic that a segment of it holds, or of an event its stretch of its parent; <c>*</c> stands for anything.</summary>
    public string Topic { get; init; } = "";
    /// <summary>A type likewise; <c>*</c> stands for anything.</summary>
    public string Type { get; init; } = "";
    /// <summary>States, any of them.</summary>
    public IReadOnlyList<SessionState> States { get; init; } = [];
    /// <summary>Only sessions that lost messages.</summary>
    public bool Lossy { get; init; }
    /// <summary>Words that all occur, as parts, in its id, robot, name, tags or notes.</summary>
    public string Text { get; init; } = "";
    /// <summary>Instead of those that are there, those that were deleted and can be brought back.</summary>
    public bool Deleted { get; init; }
    /// <summary>In what order.</summary>
    public SessionOrder Order { get; init; }

    /// <summary>True when every session is wanted.</summary>
    public bool IsEmpty => this with { Order = SessionOrder.Newest, Tags = [], States = [] } == Everything && Tags.Count == 0 && States.Count == 0;

    private static readonly SessionSearch Everything = new();

    /// <summary>What passes, in order. Take a page of it with <c>Skip</c> and <c>Take</c>, or with <see cref="After"/>.</summary>
    public async Task<IQueryable<Session>> QueryAsync(CatalogueDb db, CancellationToken cancellation)
    {
        var passing = await NarrowAsync(db, cancellation);
        return Order switch
        {
            SessionOrder.Oldest => passing.OrderBy(s => s.StartedAt).ThenBy(s => s.Id),
            SessionOrder.MostLost => passing.OrderByDescending(s => s.Lost).ThenByDescending(s => s.Id),
            _ => passing.OrderByDescending(s => s.StartedAt).ThenByDescending(s => s.Id),
        };
    }

    /// <summary>How many pass, counted up to <paramref name="most"/>: a search over very many sessions need not look at all of them.</summary>
    public async Task<int> CountAsync(CatalogueDb db, int most, CancellationToken cancellation) =>
        await (await NarrowAsync(db, cancellation)).Select(s => s.Id).Take(most).CountAsync(cancellation);

    /// <summary>What of <paramref name="ordered"/> comes after the row of a cursor that <see cref="Cursor"/> made for the same order.</summary>
    /// <exception cref="RequestException">It is no such cursor.</exception>
    public IQueryable<Session> After(IQueryable<Session> ordered, string cursor)
    {
        var (value, id) = ReadCursor(cursor);
        if (Order == SessionOrder.MostLost)
            return ordered.Where(s => EF.Functions.LessThan(ValueTuple.Create(s.Lost, s.Id), ValueTuple.Create(value, id)));
        var at = value <= DateTimeOffset.MaxValue.UtcTicks
            ? new DateTimeOffset(value, TimeSpan.Zero)
            : throw RequestException.Invalid("cursor", "a next_cursor that this list gave, as it was");
        return Order == SessionOrder.Oldest
            ? ordered.Where(s => EF.Functions.GreaterThan(ValueTuple.Create(s.StartedAt, s.Id), ValueTuple.Create(at, id)))
            : ordered.Where(s => EF.Functions.LessThan(ValueTuple.Create(s.StartedAt, s.Id), ValueTuple.Create(at, id)));
    }

    /// <summary>The cursor of a row.</summary>
    public string Cursor(Session session) => Paging.Cursor(string.Create(CultureInfo.InvariantCulture,
        $"{Order}.{(Order == SessionOrder.MostLost ? session.Lost : session.StartedAt.UtcTicks)}.{session.Id:N}"));

    private (long Value, Guid Id) ReadCursor(string cursor)
    {
        var parts = Paging.ReadKey(cursor).Split('.');
        return parts.Length == 3 && parts[0] == Order.ToString()
            && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var value)
            && Guid.TryParseExact(parts[2], "N", out var id)
                ? (value, id)
                : throw RequestException.Invalid("cursor", "a next_cursor that this list gave, as it was, with the same order");
    }

    private async Task<IQueryable<Session>> NarrowAsync(CatalogueDb db, CancellationToken cancellation)
    {
        var sessions = Deleted
            ? db.Sessions.IgnoreQueryFilters().AsNoTracking().Where(s => s.DeletedAt != null && s.PurgedAt == null)
            : db.Sessions.AsNoTracking();
        if (Robot.Length > 0)
            sessions = sessions.Where(s => s.Robot == Robot);
        if (From is { } from)
            sessions = sessions.Where(s => s.EndedAt >= from || s.EndedAt == null);
        if (To is { } to)
            sessions = sessions.Where(s => s.StartedAt < to);
        if (States.Count > 0)
            sessions = sessions.Where(s => States.Contains(s.State));
        if (Lossy)
            sessions = sessions.Where(s => s.Lost > 0);
        // "All of these are contained" is what the index on arrays answers; "is one of" would read every row.
        if (Tags.Count > 0)
        {
            string[] tags = [.. Tags];
            sessions = sessions.Where(s => tags.All(t => s.Tags.Contains(t)));
        }
        if (Topic.Length > 0)
        {
            var names = await ResolveAsync(db.KnownTopics.Select(t => t.Name), Topic, cancellation);
            sessions = sessions.Where(s => names.Any(n => s.Topics.Contains(n)));
        }
        if (Type.Length > 0)
        {
            var names = await ResolveAsync(db.KnownTopics.Select(t => t.Type), Type, cancellation);
            sessions = sessions.Where(s => names.Any(n => s.Types.Contains(n)));
        }
        foreach (var word in Text.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries))
        {
            var pattern = $"%{Escaped(word)}%";
            sessions = sessions.Where(s => EF.Functions.ILike(s.Search, pattern));
        }
        return sessions;
    }

    private static async Task<string[]> ResolveAsync(IQueryable<string> names, string wanted, CancellationToken cancellation)
    {
        if (!wanted.Contains('*'))
            return [wanted];
        var pattern = Escaped(wanted).Replace('*', '%');
        return await names.Where(n => EF.Functions.Like(n, pattern)).Distinct().OrderBy(n => n).Take(MaxResolvedTopics).ToArrayAsync(cancellation);
    }

    private static string Escaped(string text) => text.Replace(@"\", @"\\").Replace("%", @"\%").Replace("_", @"\_");
}
