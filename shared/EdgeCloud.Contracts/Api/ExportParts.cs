namespace EdgeCloud.Contracts.Api;

/// <summary>The life of a part of an export.</summary>
public enum ExportPartState
{
    /// <summary>Waits for a worker, or for the parts before it.</summary>
    Queued,
    /// <summary>A worker is at it.</summary>
    Running,
    /// <summary>Its files are written.</summary>
    Succeeded,
    /// <summary>It failed, for the stated reason.</summary>
    Failed,
    /// <summary>The export was given up.</summary>
    Cancelled,
}

/// <summary>A part of an export: what one worker makes at a time.</summary>
public sealed record ExportPartView
{
    /// <summary>Place in the export, from 1.</summary>
    public required int Number { get; init; }
    /// <summary>What it is of, such as <c>/camera/image, segments 1 to 8</c>.</summary>
    public required string Name { get; init; }
    /// <summary>State.</summary>
    public required ExportPartState State { get; init; }
    /// <summary>Bytes to read.</summary>
    public long InputBytes { get; init; }
    /// <summary>Bytes of those that are read.</summary>
    public long InputBytesDone { get; init; }
    /// <summary>Messages written.</summary>
    public long Messages { get; init; }
    /// <summary>Bytes written.</summary>
    public long Bytes { get; init; }
    /// <summary>How often a worker took it up.</summary>
    public int Attempts { get; init; }
    /// <summary>The worker that is or was at it, as <c>{host}/{process id}</c>; empty before.</summary>
    public string Worker { get; set; } = "";
    /// <summary>Why it failed, or why it is tried again; empty otherwise.</summary>
    public string Error { get; set; } = "";
}

/// <summary>A file of a succeeded export: <c>GET /api/v1/exports/{id}/files</c>.</summary>
public sealed record ExportFileView
{
    /// <summary>Path in the export's folder, with slashes.</summary>
    public required string Path { get; init; }
    /// <summary>Size, bytes.</summary>
    public required long Bytes { get; init; }
    /// <summary>SHA-256, 64 hexadecimal digits.</summary>
    public required string Sha256 { get; init; }
    /// <summary>Presigned link; it expires.</summary>
    public required string Url { get; init; }
}

/// <summary><c>POST /api/v1/exports/estimate</c>: what an export would be, by the catalogue, before it is asked for.</summary>
public sealed record ExportEstimate
{
    /// <summary>Sessions it would be made of.</summary>
    public int Sessions { get; init; }
    /// <summary>Segments that would be read.</summary>
    public int Segments { get; init; }
    /// <summary>Bytes of those segments.</summary>
    public long InputBytes { get; init; }
    /// <summary>Payload bytes of the selected topics in the range. Partly covered segments count in proportion.</summary>
    public long PayloadBytes { get; init; }
    /// <summary>Messages of the selected topics in the range, in the same way.</summary>
    public long Messages { get; init; }
    /// <summary>Seconds of recording that are in the bucket.</summary>
    public double Seconds { get; init; }
    /// <summary>Seconds of recording that the range holds and the bucket does not.</summary>
    public double SecondsMissing { get; init; }
    /// <summary>Segments of the range that are not in the bucket, as <c>{session}/{sequence}: {custody}</c>.</summary>
    public IReadOnlyList<string> MissingSegments { get; set; } = [];
    /// <summary>About how long one worker would take, seconds.</summary>
    public double WorkSeconds { get; init; }
    /// <summary>What is selected, by topic.</summary>
    public IReadOnlyList<TopicSummary> Topics { get; set; } = [];
    /// <summary>Why it would be refused now, such as a limit; empty when it would not.</summary>
    public string Refusal { get; set; } = "";
}
