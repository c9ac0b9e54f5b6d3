namespace EdgeCloud.Contracts;

/// <summary>
/// What a session is and what became of it. Announced over MQTT at every change of state and after every sealed segment, again until the
/// control plane acknowledges it; when the session is over and everything is delivered it is the object <c>session.json</c>, with
/// <see cref="Segments"/> filled in.
/// </summary>
public sealed record SessionManifest : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.session/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Robot that records it.</summary>
    public required string Robot { get; init; }
    /// <summary>Session id (UUIDv7), minted by whoever started it.</summary>
    public required Guid Session { get; init; }
    /// <summary>A name for people; may be empty.</summary>
    public string Name { get; set; } = "";
    /// <summary>State on the robot.</summary>
    public required SessionState State { get; init; }
    /// <summary>Why the session failed or was cancelled; empty otherwise.</summary>
    public string Reason { get; set; } = "";
    /// <summary>Who started it: a user, a key, or <c>configuration</c>.</summary>
    public string Issuer { get; set; } = "";
    /// <summary>The folder in the bucket, ending with a slash; persisted at start and never recomputed.</summary>
    public required string ObjectPrefix { get; init; }
    /// <summary>Start, ns since the Unix epoch.</summary>
    public required long StartedNs { get; init; }
    /// <summary>When recording ended, ns since the Unix epoch; null while it goes on.</summary>
    public long? EndedNs { get; init; }
    /// <summary>Which topics it records.</summary>
    public TopicSelection Selection { get; set; } = TopicSelection.All;
    /// <summary>When its segments go up, see <see cref="UploadPolicy"/>.</summary>
    public string Upload { get; set; } = UploadPolicy.Now;
    /// <summary>Sessions of greater priority go up first; 0 unless said otherwise.</summary>
    public int Priority { get; init; }
    /// <summary>What operators asked for, in order and without overlaps: its segments go up first, whatever <see cref="Upload"/> says.</summary>
    public IReadOnlyList<TimeRange> Requested { get; set; } = [];
    /// <summary>Pauses, in order; the last one may still be open.</summary>
    public IReadOnlyList<PauseInterval> Pauses { get; set; } = [];
    /// <summary>Times at which the robot's wall clock was set while the session went on, in order; each began a new segment.</summary>
    public IReadOnlyList<ClockJump> ClockJumps { get; set; } = [];
    /// <summary>Times in which it was to record and the agent did not run, in order.</summary>
    public IReadOnlyList<RecordingGap> Gaps { get; set; } = [];
    /// <summary>The durability bound: at most this much of the newest data is at risk in a power cut, ms; null for the robot's own.</summary>
    public int? BoundMs { get; init; }
    /// <summary>What a session keeps that never ends by itself; null for one that keeps everything.</summary>
    public RingSettings? Ring { get; init; }
    /// <summary>The stretch of another session that this one is; null for one that records.</summary>
    public EventClip? Event { get; init; }
    /// <summary>
    /// Segments up to this one were run over by a ring and announced as discarded; <see cref="Segments"/> begins after it. 0 for none.
    /// </summary>
    public int RunOverThrough { get; init; }
    /// <summary>The greatest segment sequence so far; 0 when there is none.</summary>
    public int LastSequence { get; init; }
    /// <summary>Messages recorded so far.</summary>
    public long Messages { get; init; }
    /// <summary>The ledger of the whole session: the segments' ledgers and what passed after the last of them.</summary>
    public IReadOnlyList<LedgerEntry> Ledger { get; set; } = [];
    /// <summary>Every segment in order; only in <c>session.json</c>.</summary>
    public IReadOnlyList<CertifiedSegment>? Segments { get; init; }
    /// <summary>Version of the agent.</summary>
    public required string AgentVersion { get; init; }
}

/// <summary>A time in which a session counted messages and recorded none.</summary>
/// <param name="FromNs">Start, ns since the Unix epoch.</param>
/// <param name="ToNs">End, ns since the Unix epoch; null while the pause goes on.</param>
public sealed record PauseInterval(long FromNs, long? ToNs);

/// <summary>A wall clock that was set: it moved against the monotonic clock.</summary>
/// <param name="AtNs">The new wall clock when it was noticed, ns since the Unix epoch.</param>
/// <param name="ByNs">How far it jumped, ns; negative for backwards.</param>
public sealed record ClockJump(long AtNs, long ByNs);

/// <summary>One line of a session's certificate.</summary>
public sealed record CertifiedSegment
{
    /// <summary>Place in the session, from 1.</summary>
    public required int Sequence { get; init; }
    /// <summary>Its end: acknowledged, released, discarded or quarantined.</summary>
    public required Custody Custody { get; init; }
    /// <summary>Why it was discarded or quarantined; empty otherwise.</summary>
    public string Reason { get; set; } = "";
    /// <summary>SHA-256 of the file; empty when the file could not be read.</summary>
    public string Sha256 { get; set; } = "";
    /// <summary>Size of the file.</summary>
    public long Bytes { get; init; }
    /// <summary>Messages in it.</summary>
    public long Messages { get; init; }
}
