using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>
/// The excerpt of a segment, a derived object that may be deleted at any time and is made again when it is wanted. See
/// <see cref="ExcerptWriter"/> for what is in it.
/// </summary>
public sealed class SegmentExcerpt
{
    /// <summary>Day of the session's start.</summary>
    public required DateOnly SessionDate { get; init; }
    /// <summary>Session.</summary>
    public required Guid SessionId { get; init; }
    /// <summary>Place of the segment in the session.</summary>
    public required int Sequence { get; init; }
    /// <summary>SHA-256 of the segment that it was made of.</summary>
    public required string Sha256 { get; set; }
    /// <summary>Key in the bucket; empty when it could not be made.</summary>
    public string ObjectKey { get; set; } = "";
    /// <summary>Its size.</summary>
    public long Bytes { get; set; }
    /// <summary>Its ETag.</summary>
    public string ETag { get; set; } = "";
    /// <summary>Why the segment cannot be read; empty otherwise.</summary>
    public string Error { get; set; } = "";
    /// <summary>When it was made, or tried.</summary>
    public DateTimeOffset MadeAt { get; set; }

    /// <summary>The folder of all excerpts of a session, ending with a slash: goes with the session.</summary>
    public static string Folder(Guid session) => $"derived/excerpts/session={session:D}/";

    internal PreviewFile File => new(SessionId, Sequence, ObjectKey, Bytes, ETag);
}

internal sealed class SegmentExcerptTable : IEntityTypeConfiguration<SegmentExcerpt>
{
    public void Configure(EntityTypeBuilder<SegmentExcerpt> entity)
    {
        entity.ToTable("segment_excerpts");
        entity.HasKey(e => new { e.SessionDate, e.SessionId, e.Sequence });
        entity.HasOne<Session>().WithMany()
            .HasForeignKey(e => new { e.SessionDate, e.SessionId }).HasPrincipalKey(s => new { s.Date, s.Id });
        entity.Ignore(e => e.File);
    }
}
