using System.Text.RegularExpressions;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// <c>edgecloud-controlplane reindex</c>: rebuilds the recordings' part of a catalogue from the bucket alone, by announcing in the robots' stead
/// what lies there. Such an announcement is older than anything that a robot says, so that a catalogue that knows better keeps what it knows, and
/// doing it again changes nothing.
/// </summary>
public sealed partial class Reindex(Bucket bucket, Announcements announcements, ObjectCheck objects, CertificateCheck certificates, TextWriter output)
{
    // Before the first of any robot, whose epochs are times.
    private static readonly Revision First = new(0, 1);
    private int _sessions, _segments, _faults;

    /// <summary>Reads the whole bucket; answers the exit code: 1 when something in it could not be taken over.</summary>
    /// <exception cref="BucketUnavailableException">S3 did not answer.</exception>
    public async Task<int> RunAsync(CancellationToken cancellation)
    {
        Folder? folder = null;
        var root = bucket.Prefix.Trim('/');
        await foreach (var key in bucket.ListAsync(root.Length == 0 ? "robot=" : root + "/robot=", cancellation))
        {
            if (SessionKey().Match(key) is not { Success: true } match || !Guid.TryParse(match.Groups["session"].Value, out var session))
            {
                Fault($"{key} is no object of a recording");
                continue;
            }
            // Keys come in order, so a session's objects come together.
            if (folder?.Prefix != match.Groups["folder"].Value)
            {
                await TakeAsync(folder, cancellation);
                folder = new Folder(match.Groups["folder"].Value, match.Groups["robot"].Value, session, []);
            }
            folder.Files.Add(match.Groups["file"].Value);
        }
        await TakeAsync(folder, cancellation);
        output.WriteLine($"{_sessions} sessions, {_segments} segments acknowledged, {_faults} faults");
        return _faults == 0 ? 0 : 1;
    }

    private async Task TakeAsync(Folder? folder, CancellationToken cancellation)
    {
        if (folder is null)
            return;
        var before = _segments;
        var certificate = await CertificateAsync(folder, cancellation);
        foreach (var file in folder.Files.Where(f => f.EndsWith(".manifest.json", StringComparison.Ordinal)))
            await GuardedAsync(folder.Prefix + file, () => TakeSegmentAsync(folder.Prefix + file, folder.Robot, cancellation));
        foreach (var line in certificate?.Segments ?? [])
        {
            var name = ObjectKeys.SegmentName(line.Sequence);
            if (line.Custody is Custody.Discarded or Custody.Quarantined && !folder.Files.Contains(name + ".manifest.json"))
                await GuardedAsync($"{folder.Prefix}{name}", () => TakeLostAsync(certificate!, line, cancellation));
            else if (!folder.Files.Contains(name + ".manifest.json"))
                Fault($"{folder.Prefix}{name}.manifest.json is missing, and the certificate lists the segment as {line.Custody}");
        }
        foreach (var file in folder.Files.Where(f => f.EndsWith(".mcap", StringComparison.Ordinal)
            && !folder.Files.Contains(f[..^".mcap".Length] + ".manifest.json")))
            Fault($"{folder.Prefix}{file} has no manifest beside it: its robot has to announce it");
        _sessions++;
        output.WriteLine($"session {folder.Session} of {folder.Robot}: {_segments - before} segments{(certificate is null ? ", no certificate: it was not over" : "")}");
    }

    private async Task<SessionManifest?> CertificateAsync(Folder folder, CancellationToken cancellation)
    {
        SessionManifest? certificate = null;
        await GuardedAsync(ObjectKeys.Certificate(folder.Prefix), async () =>
        {
            certificate = await certificates.ReadAsync(folder.Prefix, cancellation);
            if (certificate is not null)
            {
                await announcements.ApplyAsync(
                    new SessionAnnouncement { Robot = folder.Robot, Revision = First, Manifest = certificate with { Segments = null } }, cancellation);
            }
        });
        return certificate;
    }

    private async Task TakeSegmentAsync(string key, string robot, CancellationToken cancellation)
    {
        var json = await bucket.ReadAsync(key, ContractJson.MaxPayloadBytes, cancellation)
            ?? throw new ContractException("it went away while it was read");
        var manifest = ContractJson.Read<SegmentManifest>(json);
        await announcements.ApplyAsync(
            new SegmentAnnouncement { Robot = robot, Revision = First, Custody = Custody.Uploaded, Manifest = manifest }, cancellation);
        var date = SessionPlace.DateOf(bucket.Prefix, robot, manifest.Session, SessionPlace.FolderOf(manifest.ObjectKey, manifest.Sequence));
        var result = await objects.CheckAsync(new SegmentKey(date, manifest.Session, manifest.Sequence), cancellation);
        if (result is { Difference.Length: > 0 })
            throw new AnnouncementException(result.Difference);
        _segments++;
    }

    /// <summary>Of a segment that is nowhere any more only the certificate tells.</summary>
    private Task TakeLostAsync(SessionManifest certificate, CertifiedSegment line, CancellationToken cancellation) => announcements.ApplyAsync(
        new SegmentAnnouncement
        {
            Robot = certificate.Robot,
            Revision = First,
            Custody = line.Custody,
            Reason = line.Reason,
            Manifest = new SegmentManifest
            {
                Robot = certificate.Robot,
                Session = certificate.Session,
                Sequence = line.Sequence,
                ObjectKey = ObjectKeys.Segment(certificate.ObjectPrefix, line.Sequence),
                Bytes = line.Bytes,
                Sha256 = line.Sha256,
                ETag = "",
                Messages = line.Messages,
                Clock = new ClockFacts { WallNs = certificate.StartedNs, MonotonicNs = 0, BootId = "" },
                AgentVersion = certificate.AgentVersion,
            },
        }, cancellation);

    private async Task GuardedAsync(string key, Func<Task> action)
    {
        try
        {
            await action();
        }
        catch (Exception e) when (e is ContractException or AnnouncementException)
        {
            Fault($"{key}: {e.Message}");
        }
    }

    private void Fault(string text)
    {
        _faults++;
        output.WriteLine($"fault: {text}");
    }

    [GeneratedRegex(@"^(?<folder>(.*/)?robot=(?<robot>[a-z0-9-]+)/date=[0-9]{4}-[0-9]{2}-[0-9]{2}/session=(?<session>[0-9a-f-]{36})/)(?<file>[^/]+)$")]
    private static partial Regex SessionKey();

    private sealed record Folder(string Prefix, string Robot, Guid Session, HashSet<string> Files);
}
