using EdgeCloud.ControlPlane.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>A list page with its filters, order and columns, kept under a name: the page's query string.</summary>
public sealed class SavedView
{
    /// <summary>View id (UUIDv7).</summary>
    public required Guid Id { get; init; }
    /// <summary>Whose it is.</summary>
    public required Guid UserId { get; init; }
    /// <summary>Which page: one of <see cref="Pages"/>.</summary>
    public required string Page { get; init; }
    /// <summary>What its owner calls it.</summary>
    public required string Name { get; set; }
    /// <summary>The query string without the question mark.</summary>
    public required string Query { get; set; }
    /// <summary>True when everybody sees it.</summary>
    public bool Shared { get; set; }
    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>Counts changes; the ETag.</summary>
    public int Version { get; set; } = 1;

    /// <summary>The pages that have views.</summary>
    public static readonly string[] Pages = ["fleet", "sessions", "exports"];
}

internal sealed class SavedViewTable : IEntityTypeConfiguration<SavedView>
{
    public void Configure(EntityTypeBuilder<SavedView> entity)
    {
        entity.ToTable("saved_views");
        entity.Property(v => v.Version).IsConcurrencyToken();
        entity.HasOne<User>().WithMany().HasForeignKey(v => v.UserId).OnDelete(DeleteBehavior.Cascade);
        entity.HasIndex(v => new { v.UserId, v.Page, v.Name }).IsUnique();
    }
}
