using System.Globalization;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Shell;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>What the list of sessions is narrowed to, its order, page and columns: all of it in the address.</summary>
public sealed record SessionFilter
{
    public const int PageSize = 50;

    // Beyond this many the list says "more than": nobody pages through them, and counting them takes time.
    private const int MostCounted = 20_000;

    public string Robot { get; init; } = "";
    public SessionState? State { get; init; }
    public string Topic { get; init; } = "";
    public string Type { get; init; } = "";
    public IReadOnlyList<string> Tags { get; init; } = [];
    /// <summary>Words of robot, name, id, tags or notes.</summary>
    public string Text { get; init; } = "";
    /// <summary>As in the address: ISO 8601, or <c>now-6h</c>.</summary>
    public string From { get; init; } = "";
    /// <summary>As in the address.</summary>
    public string To { get; init; } = "";
    /// <summary>Only sessions that lost messages.</summary>
    public bool Lossy { get; init; }
    /// <summary>Those that were deleted and can be brought back.</summary>
    public bool Deleted { get; init; }
    public SessionOrder Order { get; init; }
    /// <summary>From 1.</summary>
    public int Page { get; init; } = 1;
    /// <summary>Columns that are shown, in the order of <see cref="SessionColumns.All"/>; empty for the usual ones.</summary>
    public IReadOnlyList<string> Columns { get; init; } = [];

    /// <summary>True when every session is wanted.</summary>
    public bool IsEmpty => Parts.Count == 0;

    /// <summary>The conditions, each with its words and what remains without it.</summary>
    public IReadOnlyList<(string Words, SessionFilter Without)> Parts
    {
        get
        {
            var parts = new List<(string, SessionFilter)>();
            Add(Robot.Length > 0, $"robot {Robot}", this with { Robot = "" });
            Add(State is not null, $"{State}".ToLowerInvariant(), this with { State = null });
            Add(Topic.Length > 0, $"topic {Topic}", this with { Topic = "" });
            Add(Type.Length > 0, $"type {Type}", this with { Type = "" });
            foreach (var tag in Tags)
                Add(true, $"tag {tag}", this with { Tags = [.. Tags.Where(t => t != tag)] });
            Add(From.Length > 0, $"from {From}", this with { From = "" });
            Add(To.Length > 0, $"to {To}", this with { To = "" });
            Add(Lossy, "with losses", this with { Lossy = false });
            Add(Deleted, "deleted", this with { Deleted = false });
            Add(Text.Length > 0, $"“{Text}”", this with { Text = "" });
            return parts;

            void Add(bool holds, string words, SessionFilter without)
            {
                if (holds)
                    parts.Add((words, without with { Page = 1 }));
            }
        }
    }

    /// <summary>The address that shows this.</summary>
    public string Address() => Query() is { Length: > 0 } query ? $"/sessions?{query}" : "/sessions";

    /// <summary>The query of the address, which is what a saved view keeps.</summary>
    public string Query()
    {
        var query = new List<string>();
        AddConditions(query);
        Add(query, "sort", Order == SessionOrder.Newest ? "" : SnakeCaseNames.Of(Order.ToString()));
        Add(query, "page", Page > 1 ? Page.ToString(CultureInfo.InvariantCulture) : "");
        Add(query, "cols", string.Join(',', Columns));
        return string.Join('&', query);
    }

    /// <summary>The same search for the API: <c>GET /api/v1/sessions?...</c>.</summary>
    public string ApiQuery()
    {
        var query = new List<string>();
        AddConditions(query);
        Add(query, "sort", Order == SessionOrder.Newest ? "" : SnakeCaseNames.Of(Order.ToString()));
        return string.Join('&', query);
    }

    private void AddConditions(List<string> query)
    {
        Add(query, "robot", Robot);
        Add(query, "state", State is { } state ? SnakeCaseNames.Of(state.ToString()) : "");
        Add(query, "topic", Topic);
        Add(query, "type", Type);
        foreach (var tag in Tags)
            Add(query, "tag", tag);
        Add(query, "from", From);
        Add(query, "to", To);
        Add(query, "loss", Lossy ? "1" : "");
        Add(query, "deleted", Deleted ? "1" : "");
        Add(query, "q", Text);
    }

    /// <summary>Queries the page.</summary>
    public async Task<SessionList> QueryAsync(CatalogueDb db, DateTimeOffset now, CancellationToken cancellation)
    {
        var search = Search(now);
        var sessions = await (await search.QueryAsync(db, cancellation)).Skip((Page - 1) * PageSize).Take(PageSize).ToListAsync(cancellation);
        var total = sessions.Count < PageSize && (Page == 1 || sessions.Count > 0)
            ? ((Page - 1) * PageSize) + sessions.Count
            : await search.CountAsync(db, MostCounted, cancellation);
        var totals = await SessionTotals.OfAsync(db, sessions, cancellation);
        return new SessionList
        {
            Rows = [.. sessions.Select(s => SessionRow.Of(s, totals.GetValueOrDefault(s.Id, SessionTotals.None)))],
            Total = total,
            IsTotalCut = total >= MostCounted,
            Any = total > 0 || await db.Sessions.AnyAsync(cancellation),
            Robots = await db.Robots.OrderBy(r => r.Id).Select(r => r.Id).ToListAsync(cancellation),
            Tags = await AnnotationsApi.TagsAsync(db, cancellation),
            Strictest = total == 0 ? await StrictestAsync(db, now, cancellation) : null,
        };
    }

    /// <summary>The condition without which most sessions are found; null when there is none that alone excludes.</summary>
    private async Task<StrictPart?> StrictestAsync(CatalogueDb db, DateTimeOffset now, CancellationToken cancellation)
    {
        StrictPart? strictest = null;
        foreach (var (words, without) in Parts)
        {
            var count = await without.Search(now).CountAsync(db, MostCounted, cancellation);
            if (count > (strictest?.Sessions ?? 0))
                strictest = new StrictPart(words, without.Address(), count);
        }
        return strictest;
    }

    private SessionSearch Search(DateTimeOffset now) => new()
    {
        Robot = Robot,
        States = State is { } state ? [state] : [],
        Topic = Topic,
        Type = Type,
        Tags = Tags,
        From = Moment(From, now),
        To = Moment(To, now),
        Lossy = Lossy,
        Deleted = Deleted,
        Text = Text,
        Order = Order,
    };

    private static DateTimeOffset? Moment(string text, DateTimeOffset now) =>
        AddressTime.Parse(text, now) is { } ns ? DateTimeOffset.UnixEpoch.AddTicks(ns / 100) : null;

    private static void Add(List<string> query, string name, string value)
    {
        if (value.Length > 0)
            query.Add($"{name}={Uri.EscapeDataString(value)}");
    }
}

/// <summary>The condition that keeps most out of a list that is empty.</summary>
/// <param name="Words">The condition.</param>
/// <param name="Address">The list without it.</param>
/// <param name="Sessions">How many that shows.</param>
public sealed record StrictPart(string Words, string Address, int Sessions);
