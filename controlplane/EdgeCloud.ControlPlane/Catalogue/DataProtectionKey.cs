using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>One key of ASP.NET's data protection, as the XML that it is.</summary>
public sealed class DataProtectionKey
{
    /// <summary>Row number.</summary>
    public int Id { get; init; }
    /// <summary>What ASP.NET calls it.</summary>
    public required string FriendlyName { get; init; }
    /// <summary>The key.</summary>
    public required string Xml { get; init; }
}

internal sealed class DataProtectionKeyTable : IEntityTypeConfiguration<DataProtectionKey>
{
    public void Configure(EntityTypeBuilder<DataProtectionKey> entity) => entity.ToTable("data_protection_keys");
}
