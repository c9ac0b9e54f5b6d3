using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>A robot as it was last heard of. It is registered by its first message, since the broker knows who speaks.</summary>
public sealed class Robot
{
    /// <summary>Robot id.</summary>
    public required string Id { get; init; }
    /// <summary>True while its MQTT connection stands.</summary>
    public bool Online { get; private set; }
    /// <summary>When it first spoke, by the server's clock.</summary>
    public DateTimeOffset FirstSeenAt { get; init; }
    /// <summary>When it last spoke, by the server's clock; null when only its Last Will is known.</summary>
    public DateTimeOffset? LastSeenAt { get; private set; }
    /// <summary>Revision of the state that was applied last.</summary>
    public Revision StateRevision
    {
        get => new(StateRevisionEpoch, StateRevisionNumber);
        private set => (StateRevisionEpoch, StateRevisionNumber) = (value.Epoch, value.Number);
    }
    /// <summary>See <see cref="StateRevision"/>.</summary>
    public long StateRevisionEpoch { get; private set; }
    /// <summary>See <see cref="StateRevision"/>.</summary>
    public long StateRevisionNumber { get; private set; }
    /// <summary>Revision of the telemetry that was applied last.</summary>
    public Revision TelemetryRevision
    {
        get => new(TelemetryRevisionEpoch, TelemetryRevisionNumber);
        private set => (TelemetryRevisionEpoch, TelemetryRevisionNumber) = (value.Epoch, value.Number);
    }
    /// <summary>See <see cref="TelemetryRevision"/>.</summary>
    public long TelemetryRevisionEpoch { get; private set; }
    /// <summary>See <see cref="TelemetryRevision"/>.</summary>
    public long TelemetryRevisionNumber { get; private set; }
    /// <summary>Last state that the robot itself told; a Last Will only sets it offline.</summary>
    public StateMessage? State { get; private set; }
    /// <summary>Last figures.</summary>
    public TelemetryMessage? Telemetry { get; private set; }

    /// <summary>Words that people sort robots by.</summary>
    public string[] Tags { get; set; } = [];

    /// <summary>
    /// All robots without what they tell of each topic, which is most of it: for lists. Only to be read, since what was left out would be
    /// written as none.
    /// </summary>
    public static IQueryable<Robot> Brief(CatalogueDb db) => db.Robots.FromSql(
        $"""
        select id, online, first_seen_at, last_seen_at, state_revision_epoch, state_revision_number, telemetry_revision_epoch,
               telemetry_revision_number, tags, state - 'topics' as state, telemetry - 'topics' as telemetry
        from robots
        """).AsNoTracking();

    /// <summary>Takes over a state that is newer than the one known; false when it is not.</summary>
    /// <param name="message">What the robot, or the broker for it, said.</param>
    /// <param name="heardAt">Server's clock; null for a Last Will or a retained message, which say nothing about the present.</param>
    public bool Apply(StateMessage message, DateTimeOffset? heardAt)
    {
        if (!message.Revision.IsNewerThan(StateRevision))
            return false;
        StateRevision = message.Revision;
        Online = message.Online;
        // The broker speaks for a robot that is gone and knows nothing of its sessions: what the robot said last stays.
        State = message.Revision.Number == Revision.WillNumber && State is not null
            ? State with { Online = false, Revision = message.Revision }
            : message;
        Heard(heardAt);
        return true;
    }

    /// <summary>Takes over figures that are newer than those known; false when they are not.</summary>
    public bool Apply(TelemetryMessage message, DateTimeOffset heardAt)
    {
        if (!message.Revision.IsNewerThan(TelemetryRevision))
            return false;
        TelemetryRevision = message.Revision;
        Telemetry = message;
        Heard(heardAt);
        return true;
    }

    private void Heard(DateTimeOffset? at)
    {
        if (at > (LastSeenAt ?? DateTimeOffset.MinValue))
            LastSeenAt = at;
    }
}

internal sealed class RobotTable : IEntityTypeConfiguration<Robot>
{
    public void Configure(EntityTypeBuilder<Robot> entity)
    {
        entity.ToTable("robots");
        entity.Ignore(r => r.StateRevision);
        entity.Ignore(r => r.TelemetryRevision);
        entity.Property(r => r.State).IsJson();
        entity.Property(r => r.Telemetry).IsJson();
    }
}
