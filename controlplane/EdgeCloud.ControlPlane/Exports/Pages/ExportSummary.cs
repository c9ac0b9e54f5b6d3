using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports.Pages;

/// <summary>An export as its pages show it.</summary>
public sealed record ExportSummary
{
    public required Guid Id { get; init; }
    public required ExportRequest Request { get; init; }
    /// <summary>The sessions that it is made of, with their robots and names.</summary>
    public required IReadOnlyList<ExportedSession> Sessions { get; init; }
    public required ExportState State { get; init; }
    public required double Percent { get; init; }
    public required long InputBytes { get; init; }
    public required long InputBytesDone { get; init; }
    public required long Messages { get; init; }
    public required long Bytes { get; init; }
    public required string Error { get; init; }
    public required string Owner { get; init; }
    public required DateTimeOffset CreatedAt { get; init; }
    public required DateTimeOffset? StartedAt { get; init; }
    public required DateTimeOffset? FinishedAt { get; init; }
    public required string FileName { get; init; }
    public required IReadOnlyList<LedgerEntry> Ledger { get; init; }
    public required IReadOnlyList<string> MissingSegments { get; init; }
    public required int PartsDone { get; init; }
    public required int PartsTotal { get; init; }
    public required int Files { get; init; }
    public required bool IsIncomplete { get; init; }
    public required IReadOnlyList<string> Problems { get; init; }
    public required DateTimeOffset? ExpiresAt { get; init; }
    /// <summary>The parts in order, and the paths of the data files; only for a page of one export.</summary>
    public IReadOnlyList<ExportPartView> Parts { get; init; } = [];
    public IReadOnlyList<string> Paths { get; init; } = [];

    public bool IsOver => State is not (ExportState.Queued or ExportState.Running);

    /// <summary>What it is of, in words.</summary>
    public string Title => Sessions switch
    {
        [] => $"{Request.Sessions.Count} sessions",
        [var one] => $"{one.Robot}, {Shell.Formats.SessionName(one.Name, one.Id)}",
        [var first, ..] => $"{first.Robot}, {Shell.Formats.SessionName(first.Name, first.Id)} and {Sessions.Count - 1} more",
    };

    /// <summary>When it will be done at the rate so far; null before it moves.</summary>
    public TimeSpan? Remaining(DateTimeOffset now) =>
        State == ExportState.Running && StartedAt is { } started && InputBytesDone > 0 && now > started
            ? (now - started) * ((double)(InputBytes - InputBytesDone) / InputBytesDone)
            : null;

    /// <summary>The summaries of some exports, in their order.</summary>
    public static async Task<IReadOnlyList<ExportSummary>> OfAsync(CatalogueDb db, IReadOnlyList<ExportJob> exports, CancellationToken cancellation)
    {
        var ids = exports.SelectMany(e => e.Request.Sessions).Distinct().ToList();
        var sessions = await db.Sessions.Where(s => ids.Contains(s.Id))
            .Select(s => new ExportedSession(s.Id, s.Robot, s.Name)).ToDictionaryAsync(s => s.Id, cancellation);
        return [.. exports.Select(e => Of(e, [.. e.Request.Sessions.Where(sessions.ContainsKey).Select(id => sessions[id])]))];
    }

    /// <summary>One export with its parts and files; null when there is no such export.</summary>
    public static async Task<ExportSummary?> FindAsync(CatalogueDb db, Guid id, CancellationToken cancellation)
    {
        if (await db.Exports.AsNoTracking().SingleOrDefaultAsync(e => e.Id == id, cancellation) is not { } export)
            return null;
        var summary = (await OfAsync(db, [export], cancellation))[0];
        return summary with
        {
            Parts = await db.ExportParts.AsNoTracking().Where(p => p.ExportId == id && p.Kind == PartKind.Data).OrderBy(p => p.Number)
                .Select(p => new ExportPartView
                {
                    Number = p.Number,
                    Name = p.Name,
                    State = p.State,
                    InputBytes = p.InputBytes,
                    InputBytesDone = p.InputBytesDone,
                    Messages = p.Messages,
                    Bytes = p.Bytes,
                    Attempts = p.Attempts,
                    Worker = p.Worker,
                    Error = p.Error,
                }).ToListAsync(cancellation),
            Paths = export.State != ExportState.Succeeded ? [] : await db.ExportFiles.AsNoTracking()
                .Where(f => f.ExportId == id && f.Path != "manifest.json" && f.Path != "README.md").OrderBy(f => f.Path).Take(100)
                .Select(f => f.Path).ToListAsync(cancellation),
        };
    }

    private static ExportSummary Of(ExportJob export, IReadOnlyList<ExportedSession> sessions) => new()
    {
        Id = export.Id,
        Request = export.Request,
        Sessions = sessions,
        State = export.State,
        Percent = export.Percent,
        InputBytes = export.InputBytes,
        InputBytesDone = export.InputBytesDone,
        Messages = export.Messages,
        Bytes = export.Bytes,
        Error = export.Error,
        Owner = export.Owner,
        CreatedAt = export.CreatedAt,
        StartedAt = export.StartedAt,
        FinishedAt = export.FinishedAt,
        FileName = export.FileName,
        Ledger = export.Ledger,
        MissingSegments = export.MissingSegments,
        PartsDone = export.PartsDone,
        PartsTotal = export.PartsTotal,
        Files = export.Files,
        IsIncomplete = export.IsIncomplete,
        Problems = export.Problems,
        ExpiresAt = export.ExpiresAt,
    };
}

/// <summary>A session of an export.</summary>
public sealed record ExportedSession(Guid Id, string Robot, string Name);
