namespace EdgeCloud.Contracts.Api;

/// <summary><c>POST /api/v1/exports</c>.</summary>
public sealed record ExportRequest : ExportSettings
{
    /// <summary>Sessions to export, in any order.</summary>
    public required IReadOnlyList<Guid> Sessions { get; init; }
    /// <summary>Robots whose sessions of the range are exported, too.</summary>
    public IReadOnlyList<string> Robots { get; set; } = [];
}

/// <summary>The life of an export.</summary>
public enum ExportState
{
    /// <summary>Waits for a worker.</summary>
    Queued,
    /// <summary>A worker is at it.</summary>
    Running,
    /// <summary>The file is ready.</summary>
    Succeeded,
    /// <summary>It failed, for the stated reason; it can be tried again.</summary>
    Failed,
    /// <summary>A user gave it up.</summary>
    Cancelled,
}

/// <summary><c>GET /api/v1/exports</c> and <c>GET /api/v1/exports/{id}</c>.</summary>
public sealed record ExportView
{
    /// <summary>Export id.</summary>
    public required Guid Id { get; init; }
    /// <summary>What was asked for.</summary>
    public required ExportRequest Request { get; init; }
    /// <summary>State.</summary>
    public required ExportState State { get; init; }
    /// <summary>0 to 100, by input bytes.</summary>
    public double Percent { get; init; }
    /// <summary>Messages written.</summary>
    public long Messages { get; init; }
    /// <summary>Bytes written.</summary>
    public long Bytes { get; init; }
    /// <summary>Why it failed; empty otherwise.</summary>
    public string Error { get; set; } = "";
    /// <summary>What the export lacks: the ledger of the sessions it was made of.</summary>
    public IReadOnlyList<LedgerEntry> Ledger { get; set; } = [];
    /// <summary>Segments that were not in the bucket when it was made, as <c>{session}/{sequence}: {custody}</c>.</summary>
    public IReadOnlyList<string> MissingSegments { get; set; } = [];
    /// <summary>Who asked.</summary>
    public required string Owner { get; init; }
    /// <summary>When.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When it ended; null before.</summary>
    public DateTimeOffset? FinishedAt { get; init; }
    /// <summary>Presigned link to the file, for a single succeeded export; it expires.</summary>
    public string? DownloadUrl { get; init; }
    /// <summary>Name under which the file downloads.</summary>
    public string FileName { get; set; } = "";
}
