namespace EdgeCloud.Contracts.Api;

/// <summary><c>GET /api/v1/sessions</c> and <c>GET /api/v1/sessions/{id}</c>.</summary>
public sealed record SessionView
{
    /// <summary>Session id.</summary>
    public required Guid Session { get; init; }
    /// <summary>Robot that recorded it.</summary>
    public required string Robot { get; init; }
    /// <summary>Name for people.</summary>
    public string Name { get; set; } = "";
    /// <summary>State on the robot, as last heard.</summary>
    public required SessionState State { get; init; }
    /// <summary>Why it failed or was cancelled; empty otherwise.</summary>
    public string Reason { get; set; } = "";
    /// <summary>Start.</summary>
    public required DateTimeOffset StartedAt { get; init; }
    /// <summary>End of recording; null while it goes on.</summary>
    public DateTimeOffset? EndedAt { get; init; }
    /// <summary>When its segments go up, see <see cref="UploadPolicy"/>.</summary>
    public string Upload { get; set; } = UploadPolicy.Now;
    /// <summary>Sessions of greater priority go up first.</summary>
    public int Priority { get; init; }
    /// <summary>What was asked for with <c>fetch</c>, as the robot has it.</summary>
    public IReadOnlyList<TimeRange> Requested { get; set; } = [];
    /// <summary>The stretch of another session that this one is, which has no segments of its own; null for one that records.</summary>
    public EventClip? Event { get; init; }
    /// <summary>The sessions that are stretches of this one, in order of start; only with a single session.</summary>
    public IReadOnlyList<Guid>? Events { get; init; }
    /// <summary>Messages in announced segments; of an event an estimate, for the segments that it covers in part.</summary>
    public long Messages { get; init; }
    /// <summary>Bytes of announced segments.</summary>
    public long Bytes { get; init; }
    /// <summary>Announced segments.</summary>
    public int Segments { get; init; }
    /// <summary>Bytes by custody state; absent states hold none.</summary>
    public IReadOnlyDictionary<Custody, long> BytesByCustody { get; set; } = new Dictionary<Custody, long>();
    /// <summary>Messages that were meant to be recorded and are not.</summary>
    public long Lost { get; init; }
    /// <summary>Words that people sort sessions by.</summary>
    public IReadOnlyList<string> Tags { get; set; } = [];
    /// <summary>When it was deleted; null when it was not.</summary>
    public DateTimeOffset? DeletedAt { get; init; }
    /// <summary>When the data of a deleted session is deleted for good; null when it is not deleted.</summary>
    public DateTimeOffset? PurgeAt { get; init; }
    /// <summary>The ledger by topic; only with a single session.</summary>
    public IReadOnlyList<LedgerEntry>? Ledger { get; init; }
    /// <summary>Topics; only with a single session.</summary>
    public IReadOnlyList<TopicSummary>? Topics { get; init; }
    /// <summary>Pauses; only with a single session.</summary>
    public IReadOnlyList<PauseInterval>? Pauses { get; init; }
}

/// <summary>
/// <c>POST /api/v1/sessions/{id}/fetch</c>: the robot uploads the segments that overlap these log times, before everything else.
/// </summary>
public sealed record FetchRequest
{
    /// <summary>First log time, ns since the Unix epoch, inclusive; null means from the start.</summary>
    public long? FromNs { get; init; }
    /// <summary>Last log time, ns since the Unix epoch, exclusive; null means to the end.</summary>
    public long? ToNs { get; init; }
    /// <summary>After how long the robot is no longer to begin, seconds: 1 to 604,800. It may be out of reach until then.</summary>
    public int ExpiresInSeconds { get; set; } = 86_400;
}

/// <summary><c>GET /api/v1/sessions/{id}/verification</c>: a session's certificate held against the bucket, page by page.</summary>
public sealed record VerificationView
{
    /// <summary>Session.</summary>
    public required Guid Session { get; init; }
    /// <summary>How it ended.</summary>
    public required SessionState State { get; init; }
    /// <summary>Segments that the certificate lists.</summary>
    public required int Segments { get; init; }
    /// <summary>Messages that it says were recorded.</summary>
    public required long Messages { get; init; }
    /// <summary>Messages that it says were lost.</summary>
    public required long Lost { get; init; }
    /// <summary>What is wrong with the certificate in itself.</summary>
    public required IReadOnlyList<string> Faults { get; init; }
    /// <summary>The segments of this page.</summary>
    public required IReadOnlyList<SegmentFinding> Items { get; init; }
    /// <summary>Send as <c>cursor</c> to get the next page; null when this is the last.</summary>
    public string? NextCursor { get; init; }
}

/// <summary>One segment of a certificate, checked.</summary>
public sealed record SegmentFinding
{
    /// <summary>Place in the session, from 1.</summary>
    public required int Sequence { get; init; }
    /// <summary>Its end, as the certificate says.</summary>
    public required Custody Custody { get; init; }
    /// <summary>Why it was discarded or quarantined; empty otherwise.</summary>
    public string Reason { get; set; } = "";
    /// <summary>Size, bytes.</summary>
    public long Bytes { get; init; }
    /// <summary>Messages in it.</summary>
    public long Messages { get; init; }
    /// <summary>What in the bucket is not as the certificate says; empty when all is.</summary>
    public string Fault { get; set; } = "";
}

/// <summary><c>GET /api/v1/sessions/{id}/segments</c>.</summary>
public sealed record SegmentView
{
    /// <summary>Where it is.</summary>
    public required Custody Custody { get; init; }
    /// <summary>Why it was discarded or quarantined; empty otherwise.</summary>
    public string Reason { get; set; } = "";
    /// <summary>When the control plane checked its object; null before.</summary>
    public DateTimeOffset? AcknowledgedAt { get; init; }
    /// <summary>What it holds.</summary>
    public required SegmentManifest Manifest { get; init; }
}
