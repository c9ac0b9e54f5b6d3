using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>The section <c>Exports</c> of the configuration: how much a user may have, how long it is kept.</summary>
public sealed record ExportPolicy
{
    /// <summary><c>Exports:RunningPerUser</c>: so many exports of a user are made at a time; the others wait.</summary>
    public required int RunningPerUser { get; init; }
    /// <summary><c>Exports:WaitingPerUser</c>: a user who has so many that are not over is refused another.</summary>
    public required int WaitingPerUser { get; init; }
    /// <summary><c>Exports:GiBPerExport</c>: the most that one export may read, bytes.</summary>
    public required long BytesPerExport { get; init; }
    /// <summary><c>Exports:GiBPerUser</c>: the most that a user's results and running exports may hold, bytes.</summary>
    public required long BytesPerUser { get; init; }
    /// <summary><c>Exports:RetentionDays</c>: how long results are kept.</summary>
    public required TimeSpan Retention { get; init; }
    /// <summary><c>Exports:FailedRetentionDays</c>: how long the finished parts of a failed export are kept for another try.</summary>
    public required TimeSpan FailedRetention { get; init; }

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="ConfigurationException">A value is out of bounds; the message names its key.</exception>
    public static ExportPolicy Read(IConfiguration configuration) => new()
    {
        RunningPerUser = configuration.Number("Exports:RunningPerUser", 2, 1, 1000),
        WaitingPerUser = configuration.Number("Exports:WaitingPerUser", 50, 1, 100_000),
        BytesPerExport = (long)configuration.Number("Exports:GiBPerExport", 1024, 1, 1 << 20) << 30,
        BytesPerUser = (long)configuration.Number("Exports:GiBPerUser", 4096, 1, 1 << 20) << 30,
        Retention = TimeSpan.FromDays(configuration.Number("Exports:RetentionDays", 30, 1, 3650)),
        FailedRetention = TimeSpan.FromDays(configuration.Number("Exports:FailedRetentionDays", 7, 1, 3650)),
    };
}

/// <summary>The rest of the section, for processes that make exports.</summary>
public sealed record WorkerSettings
{
    /// <summary><c>Exports:PartsAtOnce</c>: parts that this process makes at a time. Three take less than 512 MiB together with all else.</summary>
    public required int PartsAtOnce { get; init; }
    /// <summary><c>Exports:Attempts</c>: a part that was taken up so often, by deaths of workers or for want of S3, has failed.</summary>
    public required int Attempts { get; init; }
    /// <summary><c>Exports:CheckinSeconds</c>: how often a worker tells the others that it lives; silent for twice that and a second, it is dead.</summary>
    public required TimeSpan Checkin { get; init; }
    /// <summary><c>Exports:SweepSeconds</c>: how often what has expired or was abandoned is deleted.</summary>
    public required TimeSpan Sweep { get; init; }
    /// <summary><c>Exports:AbandonedHours</c>: an unfinished upload below <c>exports/</c> that no export knows is given up after that.</summary>
    public required TimeSpan Abandoned { get; init; }
    /// <summary><c>Exports:SpillFolder</c>: where a part puts what does not fit into memory.</summary>
    public required string SpillFolder { get; init; }
    /// <summary><c>Exports:SpillGiB</c>: the most that one part may put there, bytes.</summary>
    public required long SpillBytes { get; init; }

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="ConfigurationException">A value is out of bounds; the message names its key.</exception>
    public static WorkerSettings Read(IConfiguration configuration) => new()
    {
        PartsAtOnce = configuration.Number("Exports:PartsAtOnce", 3, 1, 64),
        Attempts = configuration.Number("Exports:Attempts", 8, 1, 100),
        Checkin = TimeSpan.FromSeconds(configuration.Number("Exports:CheckinSeconds", 5, 1, 300)),
        Sweep = TimeSpan.FromSeconds(configuration.Number("Exports:SweepSeconds", 600, 1, 86_400)),
        Abandoned = TimeSpan.FromHours(configuration.Number("Exports:AbandonedHours", 24, 0, 8760)),
        SpillFolder = configuration["Exports:SpillFolder"] is { Length: > 0 } folder
            ? folder
            : Path.Combine(Path.GetTempPath(), "edgecloud-exports"),
        SpillBytes = (long)configuration.Number("Exports:SpillGiB", 8, 1, 4096) << 30,
    };
}
