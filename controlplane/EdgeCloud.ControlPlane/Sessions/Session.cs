using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Fleet;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>A recording. Made by its own announcement or, when that is late, by the first announcement of one of its segments.</summary>
public sealed class Session
{
    /// <summary>Session id (UUIDv7).</summary>
    public required Guid Id { get; init; }
    /// <summary>Robot that records it.</summary>
    public required string Robot { get; init; }
    /// <summary>Day of its start in UTC, as in its place in the bucket; chooses the partition of its segments.</summary>
    public required DateOnly Date { get; init; }
    /// <summary>The folder in the bucket, ending with a slash.</summary>
    public required string ObjectPrefix { get; init; }
    /// <summary>Revision of the announcement that was applied last; zero while only segments are known.</summary>
    public Revision Revision
    {
        get => new(RevisionEpoch, RevisionNumber);
        private set => (RevisionEpoch, RevisionNumber) = (value.Epoch, value.Number);
    }
    /// <summary>See <see cref="Revision"/>.</summary>
    public long RevisionEpoch { get; private set; }
    /// <summary>See <see cref="Revision"/>.</summary>
    public long RevisionNumber { get; private set; }
    /// <summary>Name for people.</summary>
    public string Name { get; private set; } = "";
    /// <summary>State on the robot, as last heard.</summary>
    public SessionState State { get; private set; }
    /// <summary>Why it failed or was cancelled; empty otherwise.</summary>
    public string Reason { get; private set; } = "";
    /// <summary>Who started it.</summary>
    public string Issuer { get; private set; } = "";
    /// <summary>Start.</summary>
    public required DateTimeOffset StartedAt { get; set; }
    /// <summary>End of recording; null while it goes on.</summary>
    public DateTimeOffset? EndedAt { get; private set; }
    /// <summary>Messages that were meant to be recorded and are not, by the robot's count.</summary>
    public long Lost { get; private set; }
    /// <summary>What the robot said last; null while only segments are known.</summary>
    public SessionManifest? Manifest { get; private set; }
    /// <summary>The session that an event is a stretch of; null for one that records. See <see cref="SessionSource"/>.</summary>
    public Guid? Parent { get; private set; }
    /// <summary>When the catalogue first heard of it.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When the catalogue last heard of the session itself.</summary>
    public DateTimeOffset UpdatedAt { get; set; }

    /// <summary>Words that people sort sessions by.</summary>
    public string[] Tags { get; set; } = [];
    /// <summary>Names of the topics in its segments; of an event, in its stretch of its parent's.</summary>
    public string[] Topics { get; private set; } = [];
    /// <summary>Names of the types in them.</summary>
    public string[] Types { get; private set; } = [];
    /// <summary>What the free text of a search is compared with: id, robot, name, tags and notes. The database writes it.</summary>
    public string Search { get; private set; } = "";
    /// <summary>When somebody deleted it; null when nobody did. Queries do not see deleted sessions unless they ignore query filters.</summary>
    public DateTimeOffset? DeletedAt { get; private set; }
    /// <summary>Who deleted it; empty when nobody did.</summary>
    public string DeletedBy { get; private set; } = "";
    /// <summary>When its data is deleted for good; null unless it is deleted.</summary>
    public DateTimeOffset? PurgeAt { get; private set; }
    /// <summary>When its data was deleted for good; null before. Its row stays: the robot may not know and announce it again.</summary>
    public DateTimeOffset? PurgedAt { get; set; }

    /// <summary>True when nothing more will be recorded into it.</summary>
    public bool IsOver => State is SessionState.Finished or SessionState.Cancelled or SessionState.Failed;

    /// <summary>Hides it; its data follows at <paramref name="purgeAt"/> unless it is restored before.</summary>
    public void Delete(string actor, DateTimeOffset now, DateTimeOffset purgeAt) => (DeletedAt, DeletedBy, PurgeAt) = (now, actor, purgeAt);

    /// <summary>Undoes <see cref="Delete"/>.</summary>
    public void Restore() => (DeletedAt, DeletedBy, PurgeAt) = (null, "", null);

    /// <summary>Takes note of what a segment holds, for the search; returns what it did not know of. Absurdly long names are left out.</summary>
    public IReadOnlyList<KnownTopic> Learn(IReadOnlyList<TopicSummary> topics)
    {
        const int longest = 255;
        var news = topics.Where(t => t.Topic.Length <= longest && t.Type.Length <= longest && (!Topics.Contains(t.Topic) || (t.Type.Length > 0 && !Types.Contains(t.Type))))
            .Select(t => new KnownTopic { Name = t.Topic, Type = t.Type }).ToList();
        if (news.Count > 0)
        {
            Topics = [.. Topics.Union(news.Select(t => t.Name)).Order(StringComparer.Ordinal)];
            Types = [.. Types.Union(news.Select(t => t.Type).Where(t => t.Length > 0)).Order(StringComparer.Ordinal)];
        }
        return news;
    }

    /// <summary>Takes over an announcement that is newer than the one known; false when it is not.</summary>
    public bool Apply(SessionAnnouncement announcement, DateTimeOffset now)
    {
        if (!announcement.Revision.IsNewerThan(Revision))
            return false;
        var manifest = announcement.Manifest;
        Revision = announcement.Revision;
        Manifest = manifest;
        Name = manifest.Name;
        State = manifest.State;
        Reason = manifest.Reason;
        Issuer = manifest.Issuer;
        StartedAt = UnixTime.ToDateTimeOffset(manifest.StartedNs);
        EndedAt = manifest.EndedNs is { } ended ? UnixTime.ToDateTimeOffset(ended) : null;
        Lost = manifest.Ledger.Sum(e => e.Lost());
        Parent = manifest.Event?.Parent;
        UpdatedAt = now;
        return true;
    }
}

internal sealed class SessionTable : IEntityTypeConfiguration<Session>
{
    public void Configure(EntityTypeBuilder<Session> entity)
    {
        entity.ToTable("sessions");
        entity.Ignore(s => s.Revision);
        entity.Ignore(s => s.IsOver);
        entity.Property(s => s.Manifest).IsJson();
        entity.HasQueryFilter(s => s.DeletedAt == null);
        entity.HasOne<Robot>().WithMany().HasForeignKey(s => s.Robot);
        entity.HasIndex(s => new { s.StartedAt, s.Id });
        entity.HasIndex(s => new { s.Robot, s.StartedAt, s.Id });
        entity.HasIndex(s => new { s.State, s.StartedAt, s.Id });
        entity.HasIndex(s => new { s.Lost, s.Id });
        entity.HasIndex(s => s.EndedAt);
        entity.HasIndex(s => s.Tags).HasMethod("gin");
        entity.HasIndex(s => s.Topics).HasMethod("gin");
        entity.HasIndex(s => s.Types).HasMethod("gin");
        entity.HasIndex(s => s.Search).HasMethod("gin").HasOperators("gin_trgm_ops");
        entity.HasIndex(s => s.Id).HasFilter("deleted_at is null");
        entity.HasIndex(s => new { s.Tags, s.Id }).HasFilter("cardinality(tags) > 0");
        entity.HasIndex(s => s.PurgeAt).HasFilter("purge_at is not null");
        entity.HasIndex(s => s.Parent).HasFilter("parent is not null");
    }
}
