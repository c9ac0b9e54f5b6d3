using System.Security.Cryptography;
using EdgeCloud.Contracts;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>A warning or error of an agent.</summary>
public sealed class RobotLog
{
    /// <summary>Made from the payload, so that a repeated delivery is the same row.</summary>
    public required Guid Id { get; init; }
    /// <summary>Robot.</summary>
    public required string Robot { get; init; }
    /// <summary>Robot's clock.</summary>
    public required DateTimeOffset At { get; init; }
    /// <summary>Server's clock at arrival.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }
    /// <summary><c>warning</c>, <c>error</c> or <c>critical</c>.</summary>
    public required string Level { get; init; }
    /// <summary>Part of the agent.</summary>
    public required string Source { get; init; }
    /// <summary>One line, at most <see cref="MaxTextLength"/> characters.</summary>
    public required string Text { get; init; }

    /// <summary>What is longer is cut.</summary>
    public const int MaxTextLength = 4000;

    /// <summary>The row of a message that arrived at <paramref name="now"/> as <paramref name="payload"/>.</summary>
    public static RobotLog Of(LogMessage message, ReadOnlySpan<byte> payload, DateTimeOffset now) => new()
    {
        Id = new Guid(SHA256.HashData(payload).AsSpan(0, 16)),
        Robot = message.Robot,
        At = UnixTime.ToDateTimeOffset(message.TimeNs),
        ReceivedAt = now,
        Level = message.Level,
        Source = message.Source,
        Text = message.Text.Length <= MaxTextLength ? message.Text : message.Text[..MaxTextLength],
    };
}

internal sealed class RobotLogTable : IEntityTypeConfiguration<RobotLog>
{
    public void Configure(EntityTypeBuilder<RobotLog> entity)
    {
        entity.ToTable("robot_logs");
        entity.HasOne<Robot>().WithMany().HasForeignKey(l => l.Robot);
        entity.HasIndex(l => new { l.Robot, l.ReceivedAt });
        entity.HasIndex(l => l.ReceivedAt);
    }
}
