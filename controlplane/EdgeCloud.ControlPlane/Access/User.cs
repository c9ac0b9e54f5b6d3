using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>A person who may sign in.</summary>
public sealed class User : IdentityUser<Guid>
{
    /// <summary>True until the password that somebody else chose is replaced.</summary>
    public bool MustChangePassword { get; set; }
    /// <summary>When the user was made.</summary>
    public DateTimeOffset CreatedAt { get; set; }
}

/// <summary>A secret with which a program acts for a user. Only its hash is kept; the secret has 256 random bits, so one hash suffices.</summary>
public sealed class ApiKey
{
    /// <summary>Key id (UUIDv7).</summary>
    public required Guid Id { get; init; }
    /// <summary>User it acts for.</summary>
    public required Guid UserId { get; init; }
    /// <summary>What the user calls it.</summary>
    public required string Name { get; init; }
    /// <summary>The first characters of the secret, to tell keys apart.</summary>
    public required string Prefix { get; init; }
    /// <summary>SHA-256 of the secret.</summary>
    public required byte[] Hash { get; init; }
    /// <summary>What it may be used for: names of <see cref="Scopes"/>. It can never do more than its user.</summary>
    public required string[] Scopes { get; init; }
    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When it stops working.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
    /// <summary>When it was last used, to a minute; null when never.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }
    /// <summary>When it was withdrawn; null when it was not.</summary>
    public DateTimeOffset? RevokedAt { get; set; }
}

/// <summary>Something that somebody did, or tried to.</summary>
public sealed class AuditEntry
{
    /// <summary>Row number.</summary>
    public long Id { get; init; }
    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }
    /// <summary>Who: <c>user:alice</c>, <c>key:ci</c>, or the name that was tried at a failed login.</summary>
    public required string Actor { get; init; }
    /// <summary>What, such as <c>login.failed</c> or <c>command.issue</c>.</summary>
    public required string Action { get; init; }
    /// <summary>To what, such as <c>robot:amr-01</c>; empty when there is nothing.</summary>
    public required string Subject { get; init; }
    /// <summary>The rest in one line; empty when there is nothing to say.</summary>
    public string Detail { get; init; } = "";
    /// <summary>From which network address; empty when it was not a request.</summary>
    public string Address { get; init; } = "";
}

internal sealed class ApiKeyTable : IEntityTypeConfiguration<ApiKey>
{
    public void Configure(EntityTypeBuilder<ApiKey> entity)
    {
        entity.ToTable("api_keys");
        entity.HasOne<User>().WithMany().HasForeignKey(k => k.UserId).OnDelete(DeleteBehavior.Cascade);
        entity.HasIndex(k => k.Hash).IsUnique();
    }
}

internal sealed class AuditEntryTable : IEntityTypeConfiguration<AuditEntry>
{
    public void Configure(EntityTypeBuilder<AuditEntry> entity)
    {
        entity.ToTable("audit_entries");
        entity.HasIndex(a => a.At);
        entity.HasIndex(a => new { a.Actor, a.Id });
        entity.HasIndex(a => new { a.Action, a.Id });
        entity.HasIndex(a => new { a.Subject, a.Id });
    }
}
