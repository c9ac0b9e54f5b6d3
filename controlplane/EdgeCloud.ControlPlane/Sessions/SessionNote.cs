using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>What a person or a program wrote about a session, as plain text.</summary>
public sealed class SessionNote
{
    /// <summary>Note id (UUIDv7).</summary>
    public required Guid Id { get; init; }
    /// <summary>Session.</summary>
    public required Guid SessionId { get; init; }
    /// <summary>Who wrote it: <c>user:alice</c> or <c>key:alice/ci</c>.</summary>
    public required string Author { get; init; }
    /// <summary>When it was written.</summary>
    public required DateTimeOffset At { get; init; }
    /// <summary>When it was last changed; null when it was not.</summary>
    public DateTimeOffset? EditedAt { get; private set; }
    /// <summary>The text.</summary>
    public required string Text { get; set; }
    /// <summary>Counts changes; the ETag.</summary>
    public int Version { get; private set; } = 1;

    /// <summary>Replaces the text.</summary>
    public void Edit(string text, DateTimeOffset now)
    {
        Text = text;
        EditedAt = now;
        Version++;
    }
}

/// <summary>A topic and type that some session holds; what a search chooses among.</summary>
public sealed class KnownTopic
{
    /// <summary>Topic name.</summary>
    public required string Name { get; init; }
    /// <summary>Type name; empty when unknown.</summary>
    public required string Type { get; init; }
}

internal sealed class SessionNoteTable : IEntityTypeConfiguration<SessionNote>
{
    public void Configure(EntityTypeBuilder<SessionNote> entity)
    {
        entity.ToTable("session_notes");
        entity.Property(n => n.Version).IsConcurrencyToken();
        entity.HasOne<Session>().WithMany().HasForeignKey(n => n.SessionId).OnDelete(DeleteBehavior.Cascade);
        entity.HasIndex(n => new { n.SessionId, n.At, n.Id });
    }
}

internal sealed class KnownTopicTable : IEntityTypeConfiguration<KnownTopic>
{
    public void Configure(EntityTypeBuilder<KnownTopic> entity)
    {
        entity.ToTable("known_topics");
        entity.HasKey(t => new { t.Name, t.Type });
    }
}
