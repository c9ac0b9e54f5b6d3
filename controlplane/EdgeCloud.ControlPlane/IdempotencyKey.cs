using EdgeCloud.ControlPlane.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane;

/// <summary>The answer to a request that carried an <c>Idempotency-Key</c>, kept for a day to answer the same request again.</summary>
public sealed class IdempotencyKey
{
    /// <summary>Who asked.</summary>
    public required Guid UserId { get; init; }
    /// <summary>The header's value.</summary>
    public required string Key { get; init; }
    /// <summary>SHA-256 of method, path and body: another request under the same key is a mistake.</summary>
    public required byte[] Request { get; init; }
    /// <summary>When it first came.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>HTTP status of the answer; null while the first request is under way.</summary>
    public int? Status { get; set; }
    /// <summary>Media type of the answer.</summary>
    public string ContentType { get; set; } = "";
    /// <summary>Its <c>Location</c>; empty when it has none.</summary>
    public string Location { get; set; } = "";
    /// <summary>Its body.</summary>
    public byte[] Body { get; set; } = [];
}

internal sealed class IdempotencyKeyTable : IEntityTypeConfiguration<IdempotencyKey>
{
    public void Configure(EntityTypeBuilder<IdempotencyKey> entity)
    {
        entity.ToTable("idempotency_keys");
        entity.HasKey(k => new { k.UserId, k.Key });
        entity.HasOne<User>().WithMany().HasForeignKey(k => k.UserId).OnDelete(DeleteBehavior.Cascade);
        entity.HasIndex(k => k.CreatedAt);
    }
}
