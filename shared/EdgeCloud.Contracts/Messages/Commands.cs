namespace EdgeCloud.Contracts;

/// <summary>What a robot can be told.</summary>
public enum CommandKind
{
    /// <summary>Start a session.</summary>
    Start,
    /// <summary>Stop recording, go on counting; seals the open segment.</summary>
    Pause,
    /// <summary>Record again.</summary>
    Resume,
    /// <summary>End the session and deliver what was recorded.</summary>
    Finish,
    /// <summary>End the session and discard what is not uploaded.</summary>
    Cancel,
    /// <summary>Seal the open segment and upload everything now.</summary>
    Sync,
    /// <summary>Send state and telemetry now.</summary>
    Status,
    /// <summary>Change settings at run time.</summary>
    Configure,
    /// <summary>Upload the segments of a session that overlap <see cref="CommandMessage.Range"/>, before everything else.</summary>
    Fetch,
    /// <summary>Keep what a session records around now, as an event: see <see cref="EventClip"/>.</summary>
    Trigger,
}

/// <summary>A command to a robot, on <c>cmd</c>. Delivered at least once, carried out at most once: the robot remembers ids across restarts.</summary>
public sealed record CommandMessage : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.command/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Command id (UUIDv7).</summary>
    public required Guid Id { get; init; }
    /// <summary>Robot that is told; must equal the topic's robot.</summary>
    public required string Robot { get; init; }
    /// <summary>What to do.</summary>
    public required CommandKind Command { get; init; }
    /// <summary>Who told it: <c>user:alice</c> or <c>key:ci</c>.</summary>
    public required string Issuer { get; init; }
    /// <summary>When it was issued, ns since the Unix epoch.</summary>
    public required long IssuedNs { get; init; }
    /// <summary>When it is no longer to be carried out, ns since the Unix epoch.</summary>
    public required long ExpiresNs { get; init; }
    /// <summary>
    /// The session meant. <see cref="CommandKind.Start"/>: the id of the new session, minted by the issuer. Otherwise null means the
    /// only session that is recording or paused; the command is rejected when there are several.
    /// </summary>
    public Guid? Session { get; init; }
    /// <summary><see cref="CommandKind.Start"/>: a name for people. <see cref="CommandKind.Trigger"/>: why.</summary>
    public string Name { get; set; } = "";
    /// <summary><see cref="CommandKind.Start"/>: which topics; null means all.</summary>
    public TopicSelection? Selection { get; init; }
    /// <summary><see cref="CommandKind.Start"/>: when its segments go up, see <see cref="UploadPolicy"/>; null means now.</summary>
    public string? Upload { get; init; }
    /// <summary><see cref="CommandKind.Start"/>: sessions of greater priority go up first.</summary>
    public int Priority { get; init; }
    /// <summary><see cref="CommandKind.Start"/>: makes a session that keeps only its newest recordings; null means that it keeps all.</summary>
    public RingSettings? Ring { get; init; }
    /// <summary><see cref="CommandKind.Start"/>: the session's durability bound, 0 to 60,000 ms; null means the robot's own.</summary>
    public int? BoundMs { get; init; }
    /// <summary><see cref="CommandKind.Start"/>: begins paused; a <see cref="CommandKind.Resume"/> lets it record.</summary>
    public bool StartPaused { get; init; }
    /// <summary><see cref="CommandKind.Trigger"/>: how much before and after; null means 30 s and 10 s.</summary>
    public TriggerSpan? Span { get; init; }
    /// <summary><see cref="CommandKind.Fetch"/>: which log times of the session; null means all.</summary>
    public TimeRange? Range { get; init; }
    /// <summary><see cref="CommandKind.Configure"/>: setting keys and values as in the configuration file.</summary>
    public IReadOnlyDictionary<string, string>? Settings { get; init; }
}

/// <summary>How far a command has come.</summary>
public enum CommandStatus
{
    /// <summary>Stored by the control plane, no answer from the robot yet. Never sent by a robot.</summary>
    Queued,
    /// <summary>The robot will carry it out.</summary>
    Accepted,
    /// <summary>The robot will not carry it out, for the stated reason.</summary>
    Rejected,
    /// <summary>The robot is at it.</summary>
    Progress,
    /// <summary>Done.</summary>
    Succeeded,
    /// <summary>Tried and failed, for the stated reason.</summary>
    Failed,
    /// <summary>Arrived, or still unanswered, after its expiry.</summary>
    Expired,
}

/// <summary>The robot's answer, on <c>cmd/ack</c>: accepted or rejected, then progress, then succeeded, failed or expired.</summary>
public sealed record CommandAck : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.command_ack/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Who speaks; must equal the topic's robot.</summary>
    public required string Robot { get; init; }
    /// <summary>Command that is answered.</summary>
    public required Guid Id { get; init; }
    /// <summary>How far it has come.</summary>
    public required CommandStatus Status { get; init; }
    /// <summary>Why it was rejected or failed, or what is being done; empty when there is nothing to say.</summary>
    public string Reason { get; set; } = "";
    /// <summary>Session concerned, when there is one.</summary>
    public Guid? Session { get; init; }
    /// <summary>0 to 100 with <see cref="CommandStatus.Progress"/>.</summary>
    public double? Percent { get; init; }
    /// <summary>Robot's wall clock, ns since the Unix epoch.</summary>
    public required long TimeNs { get; init; }
}
