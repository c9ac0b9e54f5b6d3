namespace EdgeCloud.Contracts.Api;

/// <summary><c>GET /api/v1/robots</c> and <c>GET /api/v1/robots/{robot}</c>.</summary>
public sealed record RobotView
{
    /// <summary>Robot id.</summary>
    public required string Robot { get; init; }
    /// <summary>True while its MQTT connection stands.</summary>
    public required bool Online { get; init; }
    /// <summary>When it was last heard of; null when never.</summary>
    public DateTimeOffset? LastSeenAt { get; init; }
    /// <summary>Its last state, with sessions and alarms, and, of a single robot, topics; null before the first.</summary>
    public StateMessage? State { get; init; }
    /// <summary>Its last figures, those of topics only with a single robot; null before the first.</summary>
    public TelemetryMessage? Telemetry { get; init; }
    /// <summary>Messages lost in the last 24 hours.</summary>
    public long Lost24h { get; init; }
    /// <summary>Words that people sort robots by.</summary>
    public IReadOnlyList<string> Tags { get; set; } = [];
}

/// <summary><c>POST /api/v1/robots/{robot}/commands</c>.</summary>
public sealed record CommandRequest
{
    /// <summary>What to do.</summary>
    public required CommandKind Command { get; init; }
    /// <summary>The session meant; see <see cref="CommandMessage.Session"/>. For a start the server mints one when it is null.</summary>
    public Guid? Session { get; init; }
    /// <summary>Start: a name for people. Trigger: why.</summary>
    public string Name { get; set; } = "";
    /// <summary>Start: which topics; null means all.</summary>
    public TopicSelection? Selection { get; init; }
    /// <summary>Start: when its segments go up, see <see cref="UploadPolicy"/>; null means now.</summary>
    public string? Upload { get; init; }
    /// <summary>Start: sessions of greater priority go up first; -100 to 100.</summary>
    public int Priority { get; init; }
    /// <summary>Start: makes a session that keeps only its newest recordings; null means that it keeps all.</summary>
    public RingSettings? Ring { get; init; }
    /// <summary>Start: the session's durability bound, 0 to 60,000 ms; null means the robot's own.</summary>
    public int? BoundMs { get; init; }
    /// <summary>Start: begins paused; a resume lets it record.</summary>
    public bool StartPaused { get; init; }
    /// <summary>Trigger: how much before and after; null means 30 s and 10 s.</summary>
    public TriggerSpan? Span { get; init; }
    /// <summary>Fetch: which log times of the session; null means all.</summary>
    public TimeRange? Range { get; init; }
    /// <summary>Configure: setting keys and values.</summary>
    public IReadOnlyDictionary<string, string>? Settings { get; init; }
    /// <summary>After how long the robot is no longer to carry it out, seconds: 1 to 604,800.</summary>
    public int ExpiresInSeconds { get; set; } = 300;
}

/// <summary>A command and its last answer: <c>GET /api/v1/robots/{robot}/commands</c>, <c>GET /api/v1/commands/{id}</c>.</summary>
public sealed record CommandView
{
    /// <summary>Command id.</summary>
    public required Guid Id { get; init; }
    /// <summary>Robot.</summary>
    public required string Robot { get; init; }
    /// <summary>What to do.</summary>
    public required CommandKind Command { get; init; }
    /// <summary>How far it has come.</summary>
    public required CommandStatus Status { get; init; }
    /// <summary>Why it was rejected or failed; empty otherwise.</summary>
    public string Reason { get; set; } = "";
    /// <summary>Session concerned.</summary>
    public Guid? Session { get; init; }
    /// <summary>0 to 100 while it is carried out.</summary>
    public double? Percent { get; init; }
    /// <summary>Who issued it.</summary>
    public required string Issuer { get; init; }
    /// <summary>When it was issued.</summary>
    public required DateTimeOffset IssuedAt { get; init; }
    /// <summary>When it expires.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
    /// <summary>When its status last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}
