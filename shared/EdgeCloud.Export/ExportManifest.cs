using EdgeCloud.Contracts;

namespace EdgeCloud.Export;

/// <summary>The file <c>manifest.json</c> of an export. Everything but <see cref="Export"/> and <see cref="CreatedAt"/> follows from the plan.</summary>
public sealed record ExportManifest
{
    /// <summary>The name and version of this document.</summary>
    public const string SchemaId = "edgecloud.export/1";

    /// <summary>The name and version that the document carries.</summary>
    public string Schema { get; set; } = SchemaId;
    /// <summary>Export id.</summary>
    public required Guid Export { get; init; }
    /// <summary>When it was assembled.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>Name and version of the program that made it.</summary>
    public required string Tool { get; init; }
    /// <summary><see cref="ExportPlan.Hash"/>.</summary>
    public required string PlanHash { get; init; }
    /// <summary>Format.</summary>
    public required string Format { get; init; }
    /// <summary>False when something that was asked for is not in it; <see cref="Problems"/> and <see cref="Missing"/> say what.</summary>
    public required bool Complete { get; init; }
    /// <summary>What was asked for.</summary>
    public required ExportSettings Settings { get; init; }
    /// <summary>What is in it, by topic, robot and type.</summary>
    public required IReadOnlyList<ExportedTopic> Topics { get; init; }
    /// <summary>Tables of several topics on one clock, with their columns; empty without an alignment.</summary>
    public required IReadOnlyList<ExportedTable> Tables { get; init; }
    /// <summary>Its files, this one and the README excepted.</summary>
    public required IReadOnlyList<ExportedFile> Files { get; init; }
    /// <summary>What it was made of.</summary>
    public required IReadOnlyList<ManifestSource> Sources { get; init; }
    /// <summary>What the sessions as a whole received, recorded and lost, by topic.</summary>
    public required IReadOnlyList<LedgerEntry> Ledger { get; init; }
    /// <summary>Segments of the range that could not be had.</summary>
    public required IReadOnlyList<string> Missing { get; init; }
    /// <summary>Times between two segments of a session in which nothing was recorded, longer than a second.</summary>
    public required IReadOnlyList<ManifestGap> Gaps { get; init; }
    /// <summary>What is as it was asked for, though perhaps not as it was meant: patterns that match no topic, an alignment without rows.</summary>
    public required IReadOnlyList<string> Notes { get; init; }
    /// <summary>What could not be read and was left out.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}

/// <summary>A session of the manifest.</summary>
/// <param name="Session">Session id.</param>
/// <param name="Robot">Robot.</param>
/// <param name="Name">Name for people.</param>
/// <param name="FromNs">Of a session that is a stretch of another one, first log time that belongs to it, ns; null otherwise.</param>
/// <param name="ToNs">Likewise the end of its log times, ns, exclusive.</param>
/// <param name="Segments">What was read.</param>
public sealed record ManifestSource(Guid Session, string Robot, string Name, long? FromNs, long? ToNs, IReadOnlyList<ManifestSegment> Segments);

/// <summary>A segment of the manifest.</summary>
/// <param name="Session">The session that recorded it.</param>
/// <param name="Sequence">Place in that session.</param>
/// <param name="Bytes">Size.</param>
/// <param name="Sha256">SHA-256; empty when unknown.</param>
/// <param name="StartNs">Least log time, ns.</param>
/// <param name="EndNs">Greatest log time, ns.</param>
public sealed record ManifestSegment(Guid Session, int Sequence, long Bytes, string Sha256, long StartNs, long EndNs);

/// <summary>A time of a session of which nothing is exported.</summary>
/// <param name="Session">Session id.</param>
/// <param name="FromNs">Log time of the last message before, ns.</param>
/// <param name="ToNs">Log time of the first message after, ns.</param>
public sealed record ManifestGap(Guid Session, long FromNs, long ToNs);
