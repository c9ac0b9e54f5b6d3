using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>A request for an export kept under a name, to be made again of other sessions.</summary>
public sealed class ExportRecipe
{
    /// <summary>Recipe id (UUIDv7).</summary>
    public required Guid Id { get; init; }
    /// <summary>Its name, which no other recipe has.</summary>
    public required string Name { get; set; }
    /// <summary>Who made it; only they and administrators change it, everybody uses it.</summary>
    public required string Owner { get; init; }
    /// <summary>The request, without sessions.</summary>
    public required ExportRequest Request { get; set; }
    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When it was last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; set; }
    /// <summary>Counts changes; the ETag.</summary>
    public int Version { get; set; } = 1;
}

internal sealed class ExportRecipeTable : IEntityTypeConfiguration<ExportRecipe>
{
    public void Configure(EntityTypeBuilder<ExportRecipe> entity)
    {
        entity.ToTable("export_recipes");
        entity.Property(r => r.Request).IsJson();
        entity.Property(r => r.Version).IsConcurrencyToken();
        entity.HasIndex(r => r.Name).IsUnique();
    }
}
