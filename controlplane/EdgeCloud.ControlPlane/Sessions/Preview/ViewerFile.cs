using EdgeCloud.ControlPlane.Exports;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>The export that is the merged file of a part of a session.</summary>
public sealed class ViewerFile
{
    /// <summary>SHA-256 over what it is made of, 64 hexadecimal digits.</summary>
    public required string Hash { get; init; }
    /// <summary>The export.</summary>
    public required Guid ExportId { get; set; }
}

internal sealed class ViewerFileTable : IEntityTypeConfiguration<ViewerFile>
{
    public void Configure(EntityTypeBuilder<ViewerFile> entity)
    {
        entity.ToTable("viewer_files");
        entity.HasKey(v => v.Hash);
        entity.HasOne<ExportJob>().WithMany().HasForeignKey(v => v.ExportId).OnDelete(DeleteBehavior.Cascade);
    }
}
