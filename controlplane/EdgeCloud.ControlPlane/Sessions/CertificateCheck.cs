using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// Holds a session's certificate, <c>session.json</c>, against the bucket: every line against the manifest beside the segment, that against the
/// object, and each manifest's link against the line before. Only the bucket is asked, not the catalogue.
/// </summary>
public sealed class CertificateCheck(Bucket bucket, ObjectCheck objects)
{
    /// <summary>The largest certificate that is read, bytes; a line takes about 200.</summary>
    public const int MaxCertificateBytes = 256 << 20;

    /// <summary>The certificate of a session; null when the bucket has none.</summary>
    /// <exception cref="ContractException">It is there and cannot be read.</exception>
    /// <exception cref="BucketUnavailableException">S3 did not say.</exception>
    public async Task<SessionManifest?> ReadAsync(string objectPrefix, CancellationToken cancellation) =>
        await bucket.ReadAsync(ObjectKeys.Certificate(objectPrefix), MaxCertificateBytes, cancellation) is { } json
            ? ContractJson.Read<SessionManifest>(json, MaxCertificateBytes) : null;

    /// <summary>What is wrong with a certificate in itself; empty when nothing is.</summary>
    public static IReadOnlyList<string> FaultsOf(SessionManifest certificate)
    {
        List<string> faults = [];
        var lines = certificate.Segments ?? [];
        if (certificate.Segments is null)
            faults.Add("it has no list of segments");
        // What a ring ran over has no lines.
        var through = certificate.RunOverThrough;
        for (var i = 0; i < lines.Count && faults.Count < 10; i++)
        {
            if (lines[i].Sequence != through + i + 1)
                faults.Add($"segment {through + i + 1} is missing: line {i + 1} is about segment {lines[i].Sequence}");
        }
        if (certificate.LastSequence != through + lines.Count)
            faults.Add($"it says that the last segment is {certificate.LastSequence}, and lists {lines.Count}{(through == 0 ? "" : $" after segment {through}")}");
        var messages = lines.Sum(l => l.Messages);
        if (through > 0)
            messages += certificate.Ledger.Sum(e => e.Discarded) - lines.Where(l => l.Custody == Custody.Discarded).Sum(l => l.Messages);
        if (certificate.Messages != messages)
            faults.Add($"it says that {certificate.Messages} messages were recorded, and lists segments with {messages}");
        faults.AddRange(certificate.Ledger.Where(e => e.Received != e.Recorded + e.DroppedQueue + e.DroppedDisk + e.Paused + e.Limited)
            .Take(10).Select(e => $"the ledger of {e.Topic} does not add up"));
        return faults;
    }

    /// <summary>Checks the segment of line <paramref name="index"/>.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not say.</exception>
    public async Task<SegmentFinding> CheckAsync(SessionManifest certificate, int index, bool readWhole, CancellationToken cancellation)
    {
        var line = certificate.Segments![index];
        var finding = new SegmentFinding
        {
            Sequence = line.Sequence,
            Custody = line.Custody,
            Reason = line.Reason,
            Bytes = line.Bytes,
            Messages = line.Messages,
        };
        if (line.Custody is not (Custody.Acknowledged or Custody.Released))
            return finding;
        var key = ObjectKeys.Manifest(certificate.ObjectPrefix, line.Sequence);
        SegmentManifest manifest;
        try
        {
            if (await bucket.ReadAsync(key, ContractJson.MaxPayloadBytes, cancellation) is not { } json)
                return finding with { Fault = $"its manifest {key} is not in the bucket" };
            manifest = ContractJson.Read<SegmentManifest>(json);
        }
        catch (ContractException e)
        {
            return finding with { Fault = $"its manifest {key} cannot be read: {e.Message}" };
        }
        // What the first segment after those that a ring ran over follows is on no line.
        var previous = index > 0 ? certificate.Segments[index - 1].Sha256 : certificate.RunOverThrough > 0 ? manifest.PreviousSha256 : null;
        var fault = manifest switch
        {
            _ when manifest.Session != certificate.Session || manifest.Sequence != line.Sequence =>
                $"its manifest is that of {manifest.Session}/{manifest.Sequence}",
            _ when manifest.Sha256 != line.Sha256 => $"its manifest says SHA-256 {manifest.Sha256}, the certificate {line.Sha256}",
            _ when manifest.Bytes != line.Bytes || manifest.Messages != line.Messages =>
                $"its manifest says {manifest.Bytes} bytes and {manifest.Messages} messages, the certificate {line.Bytes} and {line.Messages}",
            _ when manifest.PreviousSha256 != previous =>
                $"the chain is broken: its manifest follows '{manifest.PreviousSha256}', the segment before it is '{previous}'",
            _ => "",
        };
        return finding with { Fault = fault.Length > 0 ? fault : await objects.CompareAsync(manifest, readWhole, cancellation) };
    }
}
