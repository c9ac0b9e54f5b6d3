namespace EdgeCloud.Contracts.Api;

/// <summary><c>POST /api/v1/exports</c>.</summary>
public sealed record ExportRequest : ExportSettings
{
    /// <summary>A request to be filled in.</summary>
    public ExportRequest()
    {
    }

    /// <summary>A request with these settings, for sessions or robots that are to be named.</summary>
    public ExportRequest(ExportSettings settings) : base(settings)
    {
    }

    /// <summary>Sessions to export, in any order; may be left out when there are robots.</summary>
    public IReadOnlyList<Guid> Sessions { get; set; } = [];
    /// <summary>Robots whose sessions of the range are exported, too; needs a range.</summary>
    public IReadOnlyList<string> Robots { get; set; } = [];
}

/// <summary>The life of an export.</summary>
public enum ExportState
{
    /// <summary>Waits for a worker.</summary>
    Queued,
    /// <summary>A worker is at it.</summary>
    Running,
    /// <summary>The files are ready.</summary>
    Succeeded,
    /// <summary>It failed, for the stated reason; it can be tried again.</summary>
    Failed,
    /// <summary>A user gave it up.</summary>
    Cancelled,
    /// <summary>It succeeded, and its files were deleted when their time was over.</summary>
    Expired,
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
    /// <summary>Bytes to read; until it is planned, by the estimate.</summary>
    public long InputBytes { get; init; }
    /// <summary>Messages written.</summary>
    public long Messages { get; init; }
    /// <summary>Bytes written.</summary>
    public long Bytes { get; init; }
    /// <summary>Files written; 0 before it succeeded.</summary>
    public int Files { get; init; }
    /// <summary>Parts that are done.</summary>
    public int PartsDone { get; init; }
    /// <summary>Parts in all; 0 until it is planned.</summary>
    public int PartsTotal { get; init; }
    /// <summary>The parts in order; only with a single export.</summary>
    public IReadOnlyList<ExportPartView>? Parts { get; init; }
    /// <summary>Why it failed; empty otherwise.</summary>
    public string Error { get; set; } = "";
    /// <summary>True when it succeeded without what <see cref="Problems"/> name.</summary>
    public bool IsIncomplete { get; init; }
    /// <summary>What could not be read and is missing from the files, part and segment named.</summary>
    public IReadOnlyList<string> Problems { get; set; } = [];
    /// <summary>What the export lacks: the ledger of the sessions it was made of.</summary>
    public IReadOnlyList<LedgerEntry> Ledger { get; set; } = [];
    /// <summary>Segments that were not in the bucket when it was made, as <c>{session}/{sequence}: {custody}</c>.</summary>
    public IReadOnlyList<string> MissingSegments { get; set; } = [];
    /// <summary>SHA-256 over the plan, 64 hexadecimal digits: equal plans give equal data files. Empty until it is planned.</summary>
    public string PlanHash { get; set; } = "";
    /// <summary>Who asked.</summary>
    public required string Owner { get; init; }
    /// <summary>When.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When a worker took it up; null before.</summary>
    public DateTimeOffset? StartedAt { get; init; }
    /// <summary>When it ended; null before.</summary>
    public DateTimeOffset? FinishedAt { get; init; }
    /// <summary>When its files are deleted; null before it ended.</summary>
    public DateTimeOffset? ExpiresAt { get; init; }
    /// <summary>Presigned link to the file of a single succeeded export that has exactly one data file; it expires.</summary>
    public string? DownloadUrl { get; init; }
    /// <summary>Name under which that file downloads, or the folder of the files.</summary>
    public string FileName { get; set; } = "";
}
