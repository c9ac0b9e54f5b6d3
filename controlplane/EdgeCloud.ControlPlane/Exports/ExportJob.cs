using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// An export and the worker that is at it. A worker holds a job by a lease that it renews; a job whose lease ran out is taken up
/// again by another, with a higher <see cref="Attempt"/>, and whatever the first still writes is refused by that number.
/// </summary>
public sealed class ExportJob
{
    /// <summary>Export id (UUIDv7).</summary>
    public required Guid Id { get; init; }
    /// <summary>What was asked for.</summary>
    public required ExportRequest Request { get; init; }
    /// <summary>Who asked: <c>user:alice</c> or <c>key:ci</c>.</summary>
    public required string Owner { get; init; }
    /// <summary>State.</summary>
    public ExportState State { get; set; }
    /// <summary>When it was asked for.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When the present attempt began; null before the first.</summary>
    public DateTimeOffset? StartedAt { get; set; }
    /// <summary>When it ended; null before.</summary>
    public DateTimeOffset? FinishedAt { get; set; }
    /// <summary>Counts the workers that took it up.</summary>
    public int Attempt { get; set; }
    /// <summary>The worker that holds it; empty when none does.</summary>
    public string Worker { get; set; } = "";
    /// <summary>Until when that worker holds it; null when none does.</summary>
    public DateTimeOffset? LeaseUntil { get; set; }
    /// <summary>A user wants it stopped; the worker that holds it does so.</summary>
    public bool CancelRequested { get; set; }
    /// <summary>Bytes of the segments to read; 0 until it is planned.</summary>
    public long InputBytes { get; set; }
    /// <summary>Bytes of those that are read.</summary>
    public long InputBytesDone { get; set; }
    /// <summary>Messages written.</summary>
    public long Messages { get; set; }
    /// <summary>Bytes written.</summary>
    public long Bytes { get; set; }
    /// <summary>Why it failed; empty otherwise.</summary>
    public string Error { get; set; } = "";
    /// <summary>The ledger of the sessions that it was made of.</summary>
    public IReadOnlyList<LedgerEntry> Ledger { get; set; } = [];
    /// <summary>Segments that were not in the bucket when it was made, as <c>{session}/{sequence}: {custody}</c>.</summary>
    public IReadOnlyList<string> MissingSegments { get; set; } = [];
    /// <summary>Key of the result, whole; empty before it succeeded.</summary>
    public string ObjectKey { get; set; } = "";
    /// <summary>Name under which the result downloads.</summary>
    public string FileName { get; set; } = "";

    /// <summary>True when it ended.</summary>
    public bool IsOver => State is ExportState.Succeeded or ExportState.Failed or ExportState.Cancelled;

    /// <summary>Ends an export that waits; one that runs is asked to stop.</summary>
    public void Cancel(DateTimeOffset now)
    {
        CancelRequested = true;
        if (State != ExportState.Queued)
            return;
        State = ExportState.Cancelled;
        FinishedAt = now;
    }

    /// <summary>Takes over how an attempt ended. A result that came too late for a cancellation is a result.</summary>
    internal void End(ExportEnd end, ExportProgress progress)
    {
        State = end.State;
        Error = end.Error;
        Worker = "";
        LeaseUntil = null;
        ObjectKey = end.ObjectKey;
        FileName = end.FileName;
        InputBytesDone = progress.InputBytesDone;
        Messages = progress.Messages;
        Bytes = progress.Bytes;
    }

    /// <summary>0 to 100, by input bytes.</summary>
    public double Percent => State == ExportState.Succeeded ? 100 : InputBytes == 0 ? 0 : 100.0 * InputBytesDone / InputBytes;
}

internal sealed class ExportJobTable : IEntityTypeConfiguration<ExportJob>
{
    public void Configure(EntityTypeBuilder<ExportJob> entity)
    {
        entity.ToTable("exports");
        entity.Property(e => e.Request).IsJson();
        entity.Property(e => e.Ledger).IsJson();
        entity.Property(e => e.MissingSegments).IsJson();
        entity.Ignore(e => e.IsOver);
        entity.Ignore(e => e.Percent);
        entity.HasIndex(e => new { e.CreatedAt, e.Id });
        entity.HasIndex(e => new { e.Owner, e.CreatedAt, e.Id });
        entity.HasIndex(e => e.LeaseUntil).HasFilter("state in ('queued', 'running')");
    }
}
