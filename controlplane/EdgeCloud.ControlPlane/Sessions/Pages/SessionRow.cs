using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>A session in the list.</summary>
public sealed record SessionRow
{
    public required Guid Id { get; init; }
    public required string Robot { get; init; }
    public required string Name { get; init; }
    public required SessionState State { get; init; }
    public required DateTimeOffset StartedAt { get; init; }
    public required DateTimeOffset? EndedAt { get; init; }
    public required long Messages { get; init; }
    public required long Lost { get; init; }
    public required long Bytes { get; init; }
    public required IReadOnlyDictionary<Custody, long> BytesByCustody { get; init; }
    public required IReadOnlyList<string> Tags { get; init; }
    public required int Topics { get; init; }
    public required DateTimeOffset? PurgeAt { get; init; }

    /// <summary>True when nothing more will be recorded into it.</summary>
    public bool IsOver => State is SessionState.Finished or SessionState.Cancelled or SessionState.Failed;

    /// <summary>The row of a session.</summary>
    public static SessionRow Of(Session session, SessionTotals totals) => new()
    {
        Id = session.Id,
        Robot = session.Robot,
        Name = session.Name,
        State = session.State,
        StartedAt = session.StartedAt,
        EndedAt = session.EndedAt,
        Messages = totals.Messages,
        Lost = session.Lost,
        Bytes = totals.Bytes,
        BytesByCustody = totals.BytesByCustody,
        Tags = session.Tags,
        Topics = session.Topics.Length,
        PurgeAt = session.PurgeAt,
    };
}

/// <summary>One page of the list.</summary>
public sealed record SessionList
{
    /// <summary>The rows, in order.</summary>
    public required IReadOnlyList<SessionRow> Rows { get; init; }
    /// <summary>Sessions that pass the filter, as far as they were counted.</summary>
    public required int Total { get; init; }
    /// <summary>There are more than that.</summary>
    public required bool IsTotalCut { get; init; }
    /// <summary>There is any session at all.</summary>
    public required bool Any { get; init; }
    /// <summary>Robots to choose among.</summary>
    public required IReadOnlyList<string> Robots { get; init; }
    /// <summary>Tags to choose among.</summary>
    public required IReadOnlyList<string> Tags { get; init; }
    /// <summary>Of an empty list, the condition that excludes most.</summary>
    public required StrictPart? Strictest { get; init; }
}

/// <summary>Columns that the list can show.</summary>
public static class SessionColumns
{
    /// <summary>All of them, in their order.</summary>
    public static readonly IReadOnlyList<(string Id, string Title)> All =
    [
        ("start", "Start"), ("robot", "Robot"), ("session", "Session"), ("state", "State"), ("duration", "Duration"), ("messages", "Messages"),
        ("topics", "Topics"), ("size", "Size"), ("custody", "Custody"), ("lost", "Lost"), ("tags", "Tags"), ("id", "Id"),
    ];

    /// <summary>Those that are shown unless others are chosen.</summary>
    public static readonly IReadOnlyList<string> Usual = ["start", "robot", "session", "state", "duration", "messages", "size", "custody", "lost", "tags"];

    /// <summary>The column that cannot go: it leads to the session.</summary>
    public const string Fixed = "session";
}
