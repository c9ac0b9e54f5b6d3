using System.Text.Json.Serialization;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>What the agent knows about a segment: <c>{sequence:000000}.json</c> beside it. It outlives the segment's own file.</summary>
internal sealed record SegmentFile
{
    /// <summary>The manifest, chained; complete from the moment the segment is sealed.</summary>
    public required SegmentManifest Manifest { get; init; }
    /// <summary>Where the segment is. Written before anybody is told.</summary>
    public required Custody Custody { get; init; }
    /// <summary>Why it was discarded or quarantined; empty otherwise.</summary>
    public string Reason { get; init; } = "";
    /// <summary>The custody that the control plane has answered; null when it has answered none.</summary>
    public Custody? Noted { get; init; }
    /// <summary>The part size that <see cref="SegmentManifest.ETag"/> was computed for, bytes.</summary>
    public required long PartBytes { get; init; }
    /// <summary>MD5s of the parts, lower-case hexadecimal, as they were computed when it was sealed; none when it goes up in one request.</summary>
    public IReadOnlyList<string> PartMd5s { get; set; } = [];
    /// <summary>The class of what matters most in it: who goes up first.</summary>
    public TopicClass Class { get; set; } = TopicClass.Normal;
    /// <summary>An upload in parts that has begun; null otherwise.</summary>
    public MultipartUpload? Multipart { get; init; }
}

/// <summary>The part of a <see cref="SegmentFile"/> that a start needs: the rest, which is most of it, is skipped when it is read.</summary>
internal sealed record SegmentFileHead
{
    public required Custody Custody { get; init; }
    public string? Reason { get; init; }
    public Custody? Noted { get; init; }
    public required long PartBytes { get; init; }
    public TopicClass Class { get; set; } = TopicClass.Normal;
    public MultipartUpload? Multipart { get; init; }
    public required SegmentManifestHead Manifest { get; init; }
}

/// <summary>See <see cref="SegmentFileHead"/> and <see cref="SegmentManifest"/>.</summary>
internal sealed record SegmentManifestHead
{
    public required int Sequence { get; init; }
    public required long Bytes { get; init; }
    public long LogTimeStartNs { get; init; }
    public long LogTimeEndNs { get; init; }
}

/// <summary>What stays in memory of a segment: a long backlog has many, and each takes the same few bytes whatever it holds.</summary>
internal sealed record SegmentState(
    int Sequence, Custody Custody, Custody? Noted, TopicClass Class, long Bytes, long LogTimeStartNs, long LogTimeEndNs, long PartBytes,
    string Reason, MultipartUpload? Multipart)
{
    public static SegmentState Of(SegmentFile f) => new(
        f.Manifest.Sequence, f.Custody, f.Noted, f.Class, f.Manifest.Bytes, f.Manifest.LogTimeStartNs, f.Manifest.LogTimeEndNs, f.PartBytes,
        f.Reason, f.Multipart);

    public static SegmentState Of(SegmentFileHead f) => new(
        f.Manifest.Sequence, f.Custody, f.Noted, f.Class, f.Manifest.Bytes, f.Manifest.LogTimeStartNs, f.Manifest.LogTimeEndNs, f.PartBytes,
        f.Reason ?? "", f.Multipart);
}

/// <summary>A multipart upload that a restart continues.</summary>
public sealed record MultipartUpload
{
    /// <summary>The server's name for it.</summary>
    public required string UploadId { get; init; }
    /// <summary>The parts that are there, by number from 1.</summary>
    public IReadOnlyDictionary<int, UploadedPart> Parts { get; init; } = new Dictionary<int, UploadedPart>();
}

/// <summary>A part that is there.</summary>
/// <param name="ETag">What the server calls it, without quotes.</param>
/// <param name="Md5">The MD5 with which the server took it, lower-case hexadecimal.</param>
public sealed record UploadedPart(string ETag, string Md5);

/// <summary>What the agent knows about a session: <c>session.json</c> in its folder.</summary>
internal sealed record SessionFile
{
    /// <summary>The session as it is announced. Its ledger holds what sealed segments do not: <see cref="SessionManifest.Ledger"/> is summed when it is sent.</summary>
    public required SessionManifest Manifest { get; init; }
    /// <summary>
    /// Drops and pauses that segment <see cref="UnsegmentedAfter"/> and those before it do not account for, as last written: a crash loses
    /// what was counted since.
    /// </summary>
    public IReadOnlyList<LedgerEntry> Unsegmented { get; init; } = [];
    /// <summary>See <see cref="Unsegmented"/>.</summary>
    public int UnsegmentedAfter { get; init; }
    /// <summary>The same of segments that have ended and were not sealed when it was written: recovery, which seals them, finds only their messages.</summary>
    public IReadOnlyList<EndedLedger> Ended { get; set; } = [];
    /// <summary>The sum of the ledgers of segments up to <see cref="LedgerThrough"/>, so that a start need not read all of them.</summary>
    public IReadOnlyList<LedgerEntry> SegmentsLedger { get; set; } = [];
    /// <summary>See <see cref="SegmentsLedger"/>.</summary>
    public int LedgerThrough { get; init; }
    /// <summary>The beginning of a ring's chain that is remembered as a whole only; null when every segment has its file.</summary>
    public RunOver? RunOver { get; init; }
    /// <summary>True when the control plane has answered the manifest as it is.</summary>
    public bool Noted { get; init; }
    /// <summary>True when <c>session.json</c> is in the bucket.</summary>
    public bool Certified { get; init; }
}

/// <summary>Drops and pauses of a segment that has ended.</summary>
internal sealed record EndedLedger(int Sequence, IReadOnlyList<LedgerEntry> Ledger);

/// <summary>
/// Segments that a ring ran over and the control plane knows to be discarded: an always-on session must not grow for ever, on disk, in memory
/// or in what is looked through.
/// </summary>
internal sealed record RunOver
{
    /// <summary>The last of them; the first is 1.</summary>
    public required int Through { get; init; }
    /// <summary>Its SHA-256, on which the chain goes on.</summary>
    public required string Sha256 { get; init; }
    /// <summary>What was in all of them, counted as discarded.</summary>
    public IReadOnlyList<LedgerEntry> Discarded { get; set; } = [];
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    Converters = [typeof(SnakeCaseEnum<Custody>), typeof(SnakeCaseEnum<SessionState>), typeof(SnakeCaseEnum<TopicClass>)])]
[JsonSerializable(typeof(SegmentFile))]
[JsonSerializable(typeof(SegmentFileHead))]
[JsonSerializable(typeof(SessionFile))]
[JsonSerializable(typeof(IReadOnlyList<LedgerEntry>))]
internal sealed partial class SessionJson : JsonSerializerContext;
