using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Fleet.Pages;

/// <summary>What the fleet page shows of a robot.</summary>
public sealed record FleetRow
{
    public required string Robot { get; init; }
    public required bool Online { get; init; }
    public required DateTimeOffset? LastSeenAt { get; init; }
    /// <summary>Sessions that are not over, as last told.</summary>
    public required IReadOnlyList<SessionStatus> Sessions { get; init; }
    public required double? BytesPerSecond { get; init; }
    public required long? DiskFreeBytes { get; init; }
    public required long? DiskTotalBytes { get; init; }
    public required long? BacklogBytes { get; init; }
    public required double? UploadBytesPerSecond { get; init; }
    /// <summary>When the store is tried again, ns; null while it works.</summary>
    public long? NextAttemptNs { get; init; }
    /// <summary>Why uploads wait although nothing failed; empty when they may run.</summary>
    public string UploadWaitsFor { get; init; } = "";
    public required long Lost24h { get; init; }
    /// <summary>Words that people sort robots by.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];
    /// <summary>Where it was last; null when it never said.</summary>
    public GeoPosition? Position { get; init; }
    /// <summary>See <see cref="Fleet.Attention"/>.</summary>
    public required IReadOnlyList<string> Attention { get; init; }

    /// <summary>The row of a robot.</summary>
    public static FleetRow Of(Robot robot, long lost24h) => new()
    {
        Robot = robot.Id,
        Online = robot.Online,
        LastSeenAt = robot.LastSeenAt,
        Sessions = robot.State?.Sessions ?? [],
        BytesPerSecond = robot.Telemetry?.BytesPerSecond,
        DiskFreeBytes = robot.Telemetry?.DiskFreeBytes,
        DiskTotalBytes = robot.Telemetry?.DiskTotalBytes,
        BacklogBytes = robot.Telemetry?.Upload.BacklogBytes,
        UploadBytesPerSecond = robot.Telemetry?.Upload.BytesPerSecond,
        NextAttemptNs = robot.Telemetry?.Upload.NextAttemptNs,
        UploadWaitsFor = robot.Telemetry?.Upload.WaitsFor ?? "",
        Lost24h = lost24h,
        Tags = robot.Tags,
        Position = robot.Telemetry?.Position,
        Attention = Fleet.Attention.Of(robot.State, robot.Telemetry),
    };

    public bool NeedsAttention => Attention.Count > 0;

    public bool IsRecording => Online && Sessions.Any(s => s.State == SessionState.Recording);

    /// <summary>The state in one word: offline, or the liveliest of its sessions, or idle.</summary>
    public string State =>
        !Online ? "offline"
        : IsRecording ? "recording"
        : Sessions.Any(s => s.State == SessionState.Paused) ? "paused"
        : Sessions.Any(s => s.State == SessionState.Finishing) ? "finishing"
        : "idle";

    /// <summary>When the backlog will be gone at the present rate; null when nothing waits or nothing moves.</summary>
    public TimeSpan? BacklogEta =>
        Online && BacklogBytes is > 0 and var waiting && UploadBytesPerSecond is > 0 and var rate
            ? TimeSpan.FromSeconds(Math.Min(waiting / rate, 30 * 86400.0))
            : null;

    /// <summary>Exceptions first: what needs a person, what is away, what lost data, then the quiet rest.</summary>
    public int Urgency => NeedsAttention ? 0 : !Online ? 1 : Lost24h > 0 ? 2 : 3;
}
