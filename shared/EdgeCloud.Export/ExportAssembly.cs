using System.Globalization;
using System.Reflection;
using System.Text;
using System.Text.Json;
using EdgeCloud.Contracts;
using EdgeCloud.Export.Formats;

namespace EdgeCloud.Export;

/// <summary>An export whose parts are made: their sum, and the files about the whole.</summary>
internal sealed class ExportAssembly(ExportPlan plan, IReadOnlyList<PartResult> parts, IExportSink sink)
{
    private const long GapNs = 1_000_000_000;
    private readonly PartFiles _files = new(sink, new ExportPart(0, 1, null, null, []));

    /// <summary>Name and version of this program.</summary>
    public static string Tool { get; } =
        $"EdgeCloud {typeof(ExportAssembly).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0]}";

    public ExportPlan Plan => plan;

    /// <summary>What is in it, by topic, robot and type.</summary>
    public IReadOnlyList<ExportedTopic> Topics { get; } =
        [.. ExportedTopic.Sum(parts.SelectMany(p => p.Topics)).OrderBy(t => t.Topic, StringComparer.Ordinal).ThenBy(t => t.Robot, StringComparer.Ordinal)];

    /// <summary>Tables of several topics, by name.</summary>
    public IReadOnlyList<ExportedTable> Tables { get; } = ExportedTable.Sum(parts.SelectMany(p => p.Tables));

    /// <summary>The parts' files, in order of part.</summary>
    public IReadOnlyList<ExportedFile> PartFiles { get; } = [.. parts.SelectMany(p => p.Files)];

    /// <summary>Writes a small file.</summary>
    public async Task WriteAsync(string name, string contentType, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        await using var file = await _files.CreateAsync(name, contentType, "", cancellation).ConfigureAwait(false);
        await file.WriteAsync(content, cancellation).ConfigureAwait(false);
        await file.CompleteAsync(cancellation).ConfigureAwait(false);
    }

    /// <summary>Writes the README and the manifest.</summary>
    public async Task<ExportManifest> CompleteAsync(ExportFormat format, DateTimeOffset createdAt, CancellationToken cancellation)
    {
        var manifest = Manifest(createdAt);
        await WriteAsync("README.md", "text/markdown", Encoding.UTF8.GetBytes(Readme.Of(manifest, format)), cancellation).ConfigureAwait(false);
        var json = JsonSerializer.SerializeToUtf8Bytes(manifest, ExportJson.Indented.ExportManifest);
        await WriteAsync("manifest.json", "application/json", json, cancellation).ConfigureAwait(false);
        return manifest;
    }

    private ExportManifest Manifest(DateTimeOffset createdAt)
    {
        string[] missing = [.. plan.Sessions.SelectMany(s => s.Missing)];
        string[] problems = [.. parts.SelectMany(p => p.Problems).Distinct()];
        return new ExportManifest
        {
            Export = plan.Id,
            CreatedAt = createdAt,
            Tool = Tool,
            PlanHash = plan.Hash(),
            Format = plan.Settings.Format,
            Complete = missing.Length == 0 && problems.Length == 0,
            Settings = plan.Settings,
            Topics = Topics,
            Tables = Tables,
            Files = [.. PartFiles, .. _files.Files],
            Sources = [.. plan.Sessions.Select(s => new ManifestSource(
                s.Id, s.Robot, s.Name, s.FromNs, s.ToNs,
                [.. s.Segments.Select(g => new ManifestSegment(g.Session, g.Sequence, g.Bytes, g.Sha256, g.StartNs, g.EndNs))]))],
            Ledger = LedgerEntry.Sum(plan.Sessions.SelectMany(s => s.Ledger)),
            Missing = missing,
            Notes = [.. Notes()],
            Gaps = [.. plan.Sessions.SelectMany(Gaps)],
            Problems = problems,
        };
    }

    private IEnumerable<string> Notes()
    {
        if (plan.Settings.Alignment is { } alignment && Tables.Count == 0)
            yield return string.Create(CultureInfo.InvariantCulture, $"There is no aligned table: no topic has a message within {alignment.ToleranceNs / 1e9} s of a tick.");
        foreach (var unmatched in plan.UnmatchedPatterns())
            yield return unmatched;
    }

    private IEnumerable<ManifestGap> Gaps(PlannedSession session)
    {
        for (var i = 1; i < session.Segments.Count; i++)
        {
            var (from, to) = (session.Segments[i - 1].EndNs, session.Segments[i].StartNs);
            if (to - from > GapNs && session.Overlaps(from, to) && (plan.Settings.FromNs is not { } start || to > start) && (plan.Settings.ToNs is not { } end || from < end))
                yield return new ManifestGap(session.Id, from, to);
        }
    }
}
