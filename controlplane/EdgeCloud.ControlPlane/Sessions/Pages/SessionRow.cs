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
    };
}

/// <summary>One page of the list.</summary>
/// <param name="Rows">The rows, in order.</param>
/// <param name="Total">Sessions that pass the filter.</param>
/// <param name="All">Sessions that there are.</param>
/// <param name="Robots">Robots to choose among.</param>
public sealed record SessionList(IReadOnlyList<SessionRow> Rows, int Total, int All, IReadOnlyList<string> Robots);
