using EdgeCloud.Export.Formats;
using EdgeCloud.Export.Reading;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Export;

/// <summary>
/// Makes an export: each of <see cref="ExportPlan.Parts"/> on its own, in any order and by any process, then assembles it. Holds no state
/// between the calls. A part takes memory for the segments open together, one file's buffers and what its format needs, whatever the
/// size of the export; what does not fit goes to scratch files that vanish with the part.
/// </summary>
/// <param name="plan">What to export.</param>
/// <param name="open">Opens the bytes of a segment; whoever reads disposes them.</param>
/// <param name="scratchFolder">Where parts keep what does not fit into memory; up to the uncompressed size of a part.</param>
public sealed class Exporter(
    ExportPlan plan, Func<PlannedSegment, CancellationToken, ValueTask<IByteSource>> open, string scratchFolder)
{
    private readonly ExportFormat _format = ExportFormat.Of(plan.Settings.Format);

    /// <summary>Writes the files of one part. A part that failed or was cancelled is simply made again.</summary>
    /// <exception cref="ExportException">A segment cannot be read, or the plan does not fit what is in it.</exception>
    public async Task<PartResult> MakePartAsync(
        ExportPart part, IExportSink sink, IProgress<ExportProgress>? progress, CancellationToken cancellation)
    {
        if (plan.Settings.Alignment?.MasterTopic is { } master && !plan.Sessions.Any(s => s.Topics.Any(t => t.Topic == master && plan.Selection.Selects(master))))
            throw new ExportException($"Topics cannot be aligned to {master}: it is not among those that are selected.");
        await using var feed = new MessageFeed(plan, part, open);
        var work = new PartWork(plan, part, feed, new PartFiles(sink, part), scratchFolder, progress);
        await _format.WriteAsync(work, cancellation).ConfigureAwait(false);
        return work.Result();
    }

    /// <summary>Writes what concerns the export as a whole: the format's index files, <c>README.md</c> and, last of all, <c>manifest.json</c>.</summary>
    /// <param name="parts">The results of all parts.</param>
    /// <param name="createdAt">Goes into the manifest.</param>
    /// <param name="sink">Where to.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <returns>The manifest.</returns>
    public async Task<ExportManifest> AssembleAsync(
        IReadOnlyList<PartResult> parts, DateTimeOffset createdAt, IExportSink sink, CancellationToken cancellation)
    {
        var assembly = new ExportAssembly(plan, [.. parts.OrderBy(p => p.Part)], sink);
        await _format.FinishAsync(assembly, cancellation).ConfigureAwait(false);
        return await assembly.CompleteAsync(_format, createdAt, cancellation).ConfigureAwait(false);
    }
}

/// <summary>How far a part is.</summary>
/// <param name="InputBytesDone">Bytes of segments that are read.</param>
/// <param name="Messages">Messages read.</param>
/// <param name="Bytes">Bytes written.</param>
public readonly record struct ExportProgress(long InputBytesDone, long Messages, long Bytes);
