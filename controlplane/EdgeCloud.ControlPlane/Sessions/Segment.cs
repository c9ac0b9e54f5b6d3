using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// One file of a recording and where it is. <see cref="Custody"/> is what the catalogue knows; <see cref="Announced"/> what the robot
/// said last. The rules, whatever the order and repetition of announcements:
/// <list type="bullet">
/// <item>only a newer revision changes anything;</item>
/// <item>only <see cref="Acknowledge"/>, after the object was checked, makes a segment acknowledged, and after that its manifest is frozen;</item>
/// <item>custody moves forward along open, sealed, uploading, uploaded, acknowledged, released, and back only from uploaded to sealed,
/// by <see cref="Refuse"/>;</item>
/// <item>discarded and quarantined are ends, reached only by segments that are not acknowledged.</item>
/// </list>
/// </summary>
public sealed class Segment
{
    /// <summary>The session's date: the partition key.</summary>
    public required DateOnly SessionDate { get; init; }
    /// <summary>Session.</summary>
    public required Guid SessionId { get; init; }
    /// <summary>Place in the session, from 1.</summary>
    public required int Sequence { get; init; }
    /// <summary>Robot that recorded it.</summary>
    public required string Robot { get; init; }
    /// <summary>Where it is.</summary>
    public Custody Custody { get; private set; }
    /// <summary>Where the robot last said it is.</summary>
    public Custody Announced { get; private set; }
    /// <summary>Revision of the announcement that was applied last.</summary>
    public Revision Revision
    {
        get => new(RevisionEpoch, RevisionNumber);
        private set => (RevisionEpoch, RevisionNumber) = (value.Epoch, value.Number);
    }
    /// <summary>See <see cref="Revision"/>.</summary>
    public long RevisionEpoch { get; private set; }
    /// <summary>See <see cref="Revision"/>.</summary>
    public long RevisionNumber { get; private set; }
    /// <summary>Why it was discarded, quarantined or refused; empty otherwise.</summary>
    public string Reason { get; private set; } = "";
    /// <summary>Key in the bucket.</summary>
    public string ObjectKey { get; private set; } = "";
    /// <summary>Size, bytes.</summary>
    public long Bytes { get; private set; }
    /// <summary>Messages, repeats excluded.</summary>
    public long Messages { get; private set; }
    /// <summary>Messages lost since the previous segment.</summary>
    public long Lost { get; private set; }
    /// <summary>Least log time, ns since the Unix epoch; 0 without messages.</summary>
    public long LogTimeStartNs { get; private set; }
    /// <summary>Greatest log time, ns since the Unix epoch; 0 without messages.</summary>
    public long LogTimeEndNs { get; private set; }
    /// <summary>What it holds and how to check it.</summary>
    public SegmentManifest Manifest { get; private set; } = null!;
    /// <summary>When it was first announced.</summary>
    public required DateTimeOffset AnnouncedAt { get; init; }
    /// <summary>When the control plane checked its object; null before.</summary>
    public DateTimeOffset? AcknowledgedAt { get; private set; }
    /// <summary>When anything here last changed.</summary>
    public DateTimeOffset UpdatedAt { get; private set; }

    /// <summary>True once its object was checked: the bytes are in S3 whatever becomes of the robot.</summary>
    public bool IsAcknowledged => Custody is Custody.Acknowledged or Custody.Released;

    /// <summary>Takes over an announcement that is newer than the one known; false when it is not.</summary>
    /// <exception cref="AnnouncementException">It contradicts what was acknowledged.</exception>
    public bool Apply(SegmentAnnouncement announcement, DateTimeOffset now)
    {
        if (!announcement.Revision.IsNewerThan(Revision))
            return false;
        if (IsAcknowledged && announcement.Manifest.Sha256 != Manifest.Sha256 && announcement.Custody != Custody.Quarantined)
        {
            throw new AnnouncementException(
                $"segment {SessionId}/{Sequence} was acknowledged with SHA-256 {Manifest.Sha256}, the robot now announces {announcement.Manifest.Sha256}");
        }
        Revision = announcement.Revision;
        Announced = announcement.Custody;
        UpdatedAt = now;
        var next = Next(Custody, announcement.Custody);
        if (!IsAcknowledged)
        {
            Describe(announcement.Manifest);
            // The reason of a refusal stays until the robot uploads again.
            Reason = next == Custody && Custody == Custody.Sealed ? Reason : announcement.Reason;
        }
        Custody = next;
        return true;
    }

    /// <summary>The object was checked against the manifest of <paramref name="sha256"/>. False when the segment moved on meanwhile.</summary>
    public bool Acknowledge(string sha256, DateTimeOffset now)
    {
        if (Custody != Custody.Uploaded || Manifest.Sha256 != sha256)
            return false;
        Custody = Custody.Acknowledged;
        AcknowledgedAt = now;
        UpdatedAt = now;
        Reason = "";
        return true;
    }

    /// <summary>
    /// The object is missing or is not what the manifest of <paramref name="sha256"/> says: the robot has to upload again, or, when it
    /// says that it deleted its copy, the segment is lost and that is put on record. False when the segment moved on meanwhile.
    /// </summary>
    public bool Refuse(string sha256, string reason, DateTimeOffset now)
    {
        if (Custody != Custody.Uploaded || Manifest.Sha256 != sha256)
            return false;
        Custody = Announced == Custody.Released ? Custody.Discarded : Custody.Sealed;
        Reason = reason;
        UpdatedAt = now;
        return true;
    }

    /// <summary>
    /// The answer to an announcement, after <see cref="Apply"/>; null when it has to wait for the check of the object, or when the
    /// announcement is older than what is known and nobody waits for an answer to it.
    /// </summary>
    public CustodyMessage? AnswerTo(SegmentAnnouncement announcement)
    {
        if (Revision.IsNewerThan(announcement.Revision) && !IsAcknowledged)
            return null;
        var claimsObject = announcement.Custody is Custody.Uploaded or Custody.Acknowledged or Custody.Released;
        CustodyDecision? decision = Custody switch
        {
            Custody.Acknowledged or Custody.Released =>
                announcement.Custody is Custody.Uploaded or Custody.Acknowledged ? CustodyDecision.Acknowledged : CustodyDecision.Noted,
            Custody.Uploaded when claimsObject => null,
            Custody.Sealed when claimsObject => CustodyDecision.Refused,
            _ => CustodyDecision.Noted,
        };
        return decision is { } made ? Answer(made, announcement.Revision) : null;
    }

    /// <summary>The answer to the announcement that was applied last, once the object was checked.</summary>
    public CustodyMessage Answer() => Answer(
        Custody switch
        {
            Custody.Acknowledged => CustodyDecision.Acknowledged,
            Custody.Sealed => CustodyDecision.Refused,
            _ => CustodyDecision.Noted,
        },
        Revision);

    private CustodyMessage Answer(CustodyDecision decision, Revision revision) => new()
    {
        Robot = Robot,
        Session = SessionId,
        Sequence = Sequence,
        Revision = revision,
        Decision = decision,
        Sha256 = Manifest.Sha256,
        Reason = decision == CustodyDecision.Refused ? Reason : "",
    };

    private static Custody Next(Custody known, Custody told) => (known, told) switch
    {
        (Custody.Discarded or Custody.Quarantined, _) => known,
        // Safe in S3 and no longer on the robot, for whatever cause: released.
        (Custody.Acknowledged, Custody.Released or Custody.Discarded) => Custody.Released,
        (Custody.Acknowledged or Custody.Released, _) => known,
        (_, Custody.Discarded or Custody.Quarantined) => told,
        // Only the control plane acknowledges: a robot that remembers an acknowledgement which the catalogue does not know (it was
        // restored from an older backup, say) has its object checked again.
        (_, Custody.Acknowledged or Custody.Released) => Custody.Uploaded,
        _ => told > known ? told : known,
    };

    private void Describe(SegmentManifest manifest)
    {
        Manifest = manifest;
        ObjectKey = manifest.ObjectKey;
        Bytes = manifest.Bytes;
        Messages = manifest.Messages;
        Lost = manifest.Ledger.Sum(e => e.Lost());
        LogTimeStartNs = manifest.LogTimeStartNs;
        LogTimeEndNs = manifest.LogTimeEndNs;
    }
}

/// <summary>An announcement that is well formed and cannot be accepted; the message says why.</summary>
public sealed class AnnouncementException(string message) : Exception(message);

internal sealed class SegmentTable : IEntityTypeConfiguration<Segment>
{
    public void Configure(EntityTypeBuilder<Segment> entity)
    {
        entity.ToTable("segments");
        entity.HasKey(s => new { s.SessionDate, s.SessionId, s.Sequence });
        // Through the date too: all segments of a session lie in one partition, so (session, sequence) is unique among all of them.
        entity.HasOne<Session>().WithMany()
            .HasForeignKey(s => new { s.SessionDate, s.SessionId }).HasPrincipalKey(s => new { s.Date, s.Id });
        entity.Ignore(s => s.Revision);
        entity.Property(s => s.Manifest).IsJson();
        entity.Ignore(s => s.IsAcknowledged);
        entity.HasIndex(s => new { s.Robot, s.AnnouncedAt });
        entity.HasIndex(s => s.UpdatedAt).HasFilter("custody = 'uploaded'");
        entity.HasIndex(s => s.AnnouncedAt).HasFilter("lost > 0");
    }
}
