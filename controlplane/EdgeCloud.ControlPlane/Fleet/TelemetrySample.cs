using EdgeCloud.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>The figures of one telemetry interval of one robot, for charts. See <see cref="TelemetryMessage"/> for the meanings.</summary>
public sealed class TelemetrySample
{
    /// <summary>Robot.</summary>
    public required string Robot { get; init; }
    /// <summary>End of the interval: the robot's clock, or the server's where the robot's is more than an hour off.</summary>
    public required DateTimeOffset At { get; init; }
    /// <summary>Messages recorded, 1/s.</summary>
    public double MessagesPerSecond { get; init; }
    /// <summary>Payload bytes recorded, B/s.</summary>
    public double BytesPerSecond { get; init; }
    /// <summary>Messages lost since the agent started.</summary>
    public long Lost { get; init; }
    /// <summary>Free space, bytes.</summary>
    public long DiskFreeBytes { get; init; }
    /// <summary>Size of the disk, bytes.</summary>
    public long DiskTotalBytes { get; init; }
    /// <summary>Recordings on the disk, bytes.</summary>
    public long RecordingsBytes { get; init; }
    /// <summary>CPU use of the robot, percent of all cores.</summary>
    public double SystemCpuPercent { get; init; }
    /// <summary>CPU use of the agent, percent of one core.</summary>
    public double AgentCpuPercent { get; init; }
    /// <summary>Memory of the agent, bytes.</summary>
    public long AgentMemoryBytes { get; init; }
    /// <summary>Received, B/s.</summary>
    public double NetworkReceiveBytesPerSecond { get; init; }
    /// <summary>Sent, B/s.</summary>
    public double NetworkSendBytesPerSecond { get; init; }
    /// <summary>Waiting for upload, bytes.</summary>
    public long BacklogBytes { get; init; }
    /// <summary>Waiting for upload, segments.</summary>
    public int BacklogSegments { get; init; }
    /// <summary>Uploaded, B/s.</summary>
    public double UploadBytesPerSecond { get; init; }
    /// <summary>Append to durable, median, ms; null when nothing was recorded.</summary>
    public double? CommitP50Ms { get; init; }
    /// <summary>Append to durable, 99th percentile, ms; null when nothing was recorded.</summary>
    public double? CommitP99Ms { get; init; }

    /// <summary>The figures of a message that arrived at <paramref name="now"/>.</summary>
    public static TelemetrySample Of(TelemetryMessage message, DateTimeOffset now)
    {
        var told = UnixTime.ToDateTimeOffset(message.TimeNs);
        return new TelemetrySample
        {
            Robot = message.Robot,
            // A clock that is wrong must not put figures where nobody looks, nor beyond the partitions.
            At = (told - now).Duration() <= TimeSpan.FromHours(1) ? told : now,
            MessagesPerSecond = message.MessagesPerSecond,
            BytesPerSecond = message.BytesPerSecond,
            Lost = message.Lost,
            DiskFreeBytes = message.DiskFreeBytes,
            DiskTotalBytes = message.DiskTotalBytes,
            RecordingsBytes = message.RecordingsBytes,
            SystemCpuPercent = message.SystemCpuPercent,
            AgentCpuPercent = message.AgentCpuPercent,
            AgentMemoryBytes = message.AgentMemoryBytes,
            NetworkReceiveBytesPerSecond = message.NetworkReceiveBytesPerSecond,
            NetworkSendBytesPerSecond = message.NetworkSendBytesPerSecond,
            BacklogBytes = message.Upload.BacklogBytes,
            BacklogSegments = message.Upload.BacklogSegments,
            UploadBytesPerSecond = message.Upload.BytesPerSecond,
            CommitP50Ms = message.CommitP50Ms,
            CommitP99Ms = message.CommitP99Ms,
        };
    }
}

internal sealed class TelemetrySampleTable : IEntityTypeConfiguration<TelemetrySample>
{
    public void Configure(EntityTypeBuilder<TelemetrySample> entity)
    {
        entity.ToTable("telemetry_samples");
        entity.HasKey(t => new { t.Robot, t.At });
        entity.HasOne<Robot>().WithMany().HasForeignKey(t => t.Robot);
    }
}
