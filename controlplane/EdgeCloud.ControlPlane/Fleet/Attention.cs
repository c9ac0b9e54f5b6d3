using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Shell;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>What about a robot needs a person.</summary>
public static class Attention
{
    /// <summary>Below this share of free space a disk is worth a look.</summary>
    public const double LowDiskPercent = 10;

    /// <summary>The reasons, worst first; empty when all is well or when nothing is known.</summary>
    public static IReadOnlyList<string> Of(StateMessage? state, TelemetryMessage? telemetry)
    {
        var reasons = new List<string>();
        if (state is not null)
            reasons.AddRange(state.Alarms);
        if (telemetry is { Upload.LastError.Length: > 0 })
            reasons.Add($"upload: {telemetry.Upload.LastError}");
        if (telemetry is { DiskTotalBytes: > 0 } && 100.0 * telemetry.DiskFreeBytes / telemetry.DiskTotalBytes is var free and < LowDiskPercent)
            reasons.Add($"disk: {Formats.Percent(free)} left ({Formats.Bytes(telemetry.DiskFreeBytes)})");
        return reasons;
    }
}
