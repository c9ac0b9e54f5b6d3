using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>What a part of an export does.</summary>
public enum PartKind
{
    /// <summary>Decides what is read, and adds the other parts.</summary>
    Plan,
    /// <summary>Reads segments and writes files.</summary>
    Data,
    /// <summary>Writes the manifest and makes all files visible, when every other part is over.</summary>
    Assembly,
}

/// <summary>
/// A part of an export. The row is the truth about it; the scheduler only decides which worker runs it, and runs it again when that worker
/// died. Whoever takes it up raises <see cref="Fence"/>, and everything that is stored for it is stored under that number: a worker that
/// was taken for dead and wakes up finds that its number is no longer the row's, and can change nothing.
/// </summary>
public sealed class ExportPartJob
{
    /// <summary>Export.</summary>
    public required Guid ExportId { get; init; }
    /// <summary>Place in the export: 0 is the plan, then the data, last the assembly.</summary>
    public required int Number { get; init; }
    /// <summary>What it does.</summary>
    public required PartKind Kind { get; init; }
    /// <summary>What it is of, for people.</summary>
    public required string Name { get; init; }
    /// <summary>State.</summary>
    public ExportPartState State { get; set; }
    /// <summary>The fencing token: raised by every worker that takes it up, and by every cancellation.</summary>
    public long Fence { get; set; }
    /// <summary>How often it was taken up since it was asked for, or asked for again.</summary>
    public int Attempts { get; set; }
    /// <summary>The worker that is or was at it, as <c>{host}/{process id}</c>; empty before.</summary>
    public string Worker { get; set; } = "";
    /// <summary>When that worker last said that it is at it; null before.</summary>
    public DateTimeOffset? HeartbeatAt { get; set; }
    /// <summary>From when on it may be run.</summary>
    public required DateTimeOffset DueAt { get; set; }
    /// <summary>Bytes of the segments to read.</summary>
    public long InputBytes { get; set; }
    /// <summary>Bytes of those that are read.</summary>
    public long InputBytesDone { get; set; }
    /// <summary>Messages written.</summary>
    public long Messages { get; set; }
    /// <summary>Bytes written.</summary>
    public long Bytes { get; set; }
    /// <summary>Why it failed, or why it is tried again; empty otherwise.</summary>
    public string Error { get; set; } = "";
    /// <summary>What it came to, as JSON: the plan, or the result of the data's part; null before.</summary>
    public string? Result { get; set; }
    /// <summary>When it was last taken up; null before.</summary>
    public DateTimeOffset? StartedAt { get; set; }
    /// <summary>When it ended; null before.</summary>
    public DateTimeOffset? FinishedAt { get; set; }
}

/// <summary>The life of a file of an export.</summary>
public enum FileState
{
    /// <summary>A worker writes it.</summary>
    Open,
    /// <summary>All its bytes are in the bucket; nobody sees it yet.</summary>
    Written,
    /// <summary>It is an object.</summary>
    Complete,
}

/// <summary>
/// A file of an export, which is a multipart upload until the export is assembled. The row is there before the first byte, so that what a
/// dead worker left is known and given up.
/// </summary>
public sealed class ExportFile
{
    /// <summary>Export.</summary>
    public required Guid ExportId { get; init; }
    /// <summary>The upload's id in the bucket.</summary>
    public required string UploadId { get; init; }
    /// <summary>The part that writes it.</summary>
    public required int Part { get; init; }
    /// <summary>The part's fencing token when it was begun.</summary>
    public required long Fence { get; init; }
    /// <summary>Path in the export's folder.</summary>
    public required string Path { get; init; }
    /// <summary>Key in the bucket.</summary>
    public required string ObjectKey { get; init; }
    /// <summary>State.</summary>
    public FileState State { get; set; }
    /// <summary>ETags of the upload's parts in order, without quotes; empty while it is written.</summary>
    public IReadOnlyList<string> Etags { get; set; } = [];
    /// <summary>Size; 0 while it is written.</summary>
    public long Bytes { get; set; }
    /// <summary>SHA-256, lower-case hexadecimal; empty while it is written.</summary>
    public string Sha256 { get; set; } = "";
}

internal sealed class ExportPartTable : IEntityTypeConfiguration<ExportPartJob>
{
    public void Configure(EntityTypeBuilder<ExportPartJob> entity)
    {
        entity.ToTable("export_parts");
        entity.HasKey(p => new { p.ExportId, p.Number });
        entity.HasOne<ExportJob>().WithMany().HasForeignKey(p => p.ExportId).OnDelete(DeleteBehavior.Cascade);
        entity.Property(p => p.Kind).HasConversion(new EnumWord<PartKind>());
        entity.Property(p => p.State).HasConversion(new EnumWord<ExportPartState>());
        entity.Property(p => p.Result).HasColumnType("jsonb");
        entity.HasIndex(p => p.DueAt).HasFilter("state in ('queued', 'running')");
    }
}

internal sealed class ExportFileTable : IEntityTypeConfiguration<ExportFile>
{
    public void Configure(EntityTypeBuilder<ExportFile> entity)
    {
        entity.ToTable("export_files");
        entity.HasKey(f => new { f.ExportId, f.UploadId });
        entity.HasOne<ExportPartJob>().WithMany().HasForeignKey(f => new { f.ExportId, f.Part }).OnDelete(DeleteBehavior.Cascade);
        entity.Property(f => f.State).HasConversion(new EnumWord<FileState>());
        entity.Property(f => f.Etags).IsJson();
    }
}
