using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// An export: what was asked for, how far it is, what came of it. It is made in parts (<see cref="ExportPartJob"/>), each by whichever
/// worker is free; their figures are summed up here.
/// </summary>
public sealed class ExportJob
{
    /// <summary>Export id (UUIDv7).</summary>
    public required Guid Id { get; init; }
    /// <summary>What was asked for.</summary>
    public required ExportRequest Request { get; init; }
    /// <summary>Who asked: <c>user:alice</c> or <c>key:alice/ci</c>.</summary>
    public required string Owner { get; init; }
    /// <summary>State.</summary>
    public ExportState State { get; set; }
    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When a worker could first take it up; null before.</summary>
    public DateTimeOffset? StartedAt { get; set; }
    /// <summary>When it ended; null before.</summary>
    public DateTimeOffset? FinishedAt { get; set; }
    /// <summary>When its files, or what a failed one has of them, are deleted; null before it ended.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }
    /// <summary>When everything of it was gone from the bucket; null before.</summary>
    public DateTimeOffset? SweptAt { get; set; }
    /// <summary>SHA-256 of the plan, lower-case hexadecimal; empty until it is planned.</summary>
    public string PlanHash { get; set; } = "";
    /// <summary>Bytes of the segments to read; until it is planned, by the estimate.</summary>
    public long InputBytes { get; set; }
    /// <summary>Bytes of those that are read.</summary>
    public long InputBytesDone { get; set; }
    /// <summary>Messages written.</summary>
    public long Messages { get; set; }
    /// <summary>Bytes written.</summary>
    public long Bytes { get; set; }
    /// <summary>Files written; 0 before it succeeded.</summary>
    public int Files { get; set; }
    /// <summary>Parts of the data that are done.</summary>
    public int PartsDone { get; set; }
    /// <summary>Parts of the data in all; 0 until it is planned.</summary>
    public int PartsTotal { get; set; }
    /// <summary>Why it failed; empty otherwise.</summary>
    public string Error { get; set; } = "";
    /// <summary>True when it succeeded without what <see cref="Problems"/> name.</summary>
    public bool IsIncomplete { get; set; }
    /// <summary>What could not be read, one sentence each, part and segment named.</summary>
    public IReadOnlyList<string> Problems { get; set; } = [];
    /// <summary>The ledger of the sessions that it was made of.</summary>
    public IReadOnlyList<LedgerEntry> Ledger { get; set; } = [];
    /// <summary>Segments that were not in the bucket when it was planned, as <c>{session}/{sequence}: {custody}</c>.</summary>
    public IReadOnlyList<string> MissingSegments { get; set; } = [];
    /// <summary>Name under which the result downloads, without an extension; empty until it is planned.</summary>
    public string FileName { get; set; } = "";

    /// <summary>True when it ended.</summary>
    public bool IsOver => State is not (ExportState.Queued or ExportState.Running);

    /// <summary>0 to 100, by input bytes.</summary>
    public double Percent =>
        State is ExportState.Succeeded or ExportState.Expired ? 100 : InputBytes == 0 ? 0 : Math.Min(100, 100.0 * InputBytesDone / InputBytes);

    /// <summary>Has it made again but for parts of the data that are done: those count, and of those alone the problems stay.</summary>
    public void KeepParts(IReadOnlyCollection<int> numbers)
    {
        PartsDone = numbers.Count;
        Problems = [.. Problems.Where(p => numbers.Any(n => p.StartsWith(PartName(n), StringComparison.Ordinal)))];
    }

    /// <summary>How problems and errors name a part of the data.</summary>
    public string PartName(int number) => $"Part {number} of {PartsTotal}";

    /// <summary>Ends it; its files are kept until <paramref name="expiresAt"/>.</summary>
    public void End(ExportState state, string error, DateTimeOffset now, DateTimeOffset expiresAt)
    {
        State = state;
        Error = error;
        FinishedAt = now;
        ExpiresAt = expiresAt;
    }
}

internal sealed class ExportJobTable : IEntityTypeConfiguration<ExportJob>
{
    public void Configure(EntityTypeBuilder<ExportJob> entity)
    {
        entity.ToTable("exports");
        entity.Property(e => e.Request).IsJson();
        entity.Property(e => e.Ledger).IsJson();
        entity.Property(e => e.MissingSegments).IsJson();
        entity.Property(e => e.Problems).IsJson();
        entity.Ignore(e => e.IsOver);
        entity.Ignore(e => e.Percent);
        entity.HasIndex(e => new { e.CreatedAt, e.Id });
        entity.HasIndex(e => new { e.Owner, e.CreatedAt, e.Id });
        entity.HasIndex(e => e.ExpiresAt).HasFilter("swept_at is null");
        entity.HasIndex(e => e.State).HasFilter("state in ('queued', 'running')");
    }
}
