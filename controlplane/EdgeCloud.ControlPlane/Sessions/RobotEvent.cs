using EdgeCloud.ControlPlane.Fleet;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// Something that happened at a moment, or over a stretch of time, of a robot: a mark on the timelines of its sessions. People, programs
/// and robots make them.
/// </summary>
public sealed class RobotEvent
{
    /// <summary>Event id (UUIDv7); a robot mints its own, so that a repeated delivery is the same row.</summary>
    public required Guid Id { get; init; }
    /// <summary>Robot.</summary>
    public required string Robot { get; init; }
    /// <summary>The only session that it belongs to; null when it belongs to every session of that moment.</summary>
    public Guid? Session { get; init; }
    /// <summary>When, in the time of the recording's log times, ns since the Unix epoch.</summary>
    public long TimeNs { get; private set; }
    /// <summary>End of the stretch, ns since the Unix epoch; null for a moment.</summary>
    public long? EndNs { get; private set; }
    /// <summary>A short word that marks are grouped and coloured by, such as <c>fall</c>.</summary>
    public string Kind { get; private set; } = "";
    /// <summary>What happened, as plain text; may be empty.</summary>
    public string Text { get; private set; } = "";
    /// <summary>Who says so: <c>user:alice</c>, <c>key:alice/ci</c> or <c>robot:amr-01</c>.</summary>
    public required string Author { get; init; }
    /// <summary>When the catalogue heard of it.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>Counts changes; the ETag.</summary>
    public int Version { get; private set; }

    /// <summary>Says, anew, when and what.</summary>
    public RobotEvent Describe(long timeNs, long? endNs, string kind, string text)
    {
        (TimeNs, EndNs, Kind, Text) = (timeNs, endNs, kind, text);
        Version++;
        return this;
    }
}

internal sealed class RobotEventTable : IEntityTypeConfiguration<RobotEvent>
{
    public void Configure(EntityTypeBuilder<RobotEvent> entity)
    {
        entity.ToTable("events");
        entity.Property(e => e.Version).IsConcurrencyToken();
        entity.HasOne<Robot>().WithMany().HasForeignKey(e => e.Robot).OnDelete(DeleteBehavior.Cascade);
        entity.HasIndex(e => new { e.Robot, e.TimeNs, e.Id });
        entity.HasIndex(e => new { e.Session, e.TimeNs, e.Id });
        entity.HasIndex(e => new { e.TimeNs, e.Id });
    }
}
