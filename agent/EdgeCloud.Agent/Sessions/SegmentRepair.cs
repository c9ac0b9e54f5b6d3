using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Contracts;
using EdgeCloud.Mcap;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// Makes of what the disk has of one segment what the chain takes: after a restart, and of a segment that its own log gave up because the device
/// does not give it back as it was written.
/// </summary>
internal sealed partial class SegmentRepair(AgentConfiguration configuration, Alarms alarms, ILogger log)
{
    /// <summary>Recovers a segment, or reads a sealed one, or puts aside what cannot be used; not chained yet.</summary>
    /// <exception cref="IOException">The disk refuses to write: nothing is lost, and it can be tried again.</exception>
    public SegmentFile Repair(Session session, int sequence)
    {
        try
        {
            return Read(session, sequence);
        }
        catch (WalIoException e) when (e.Fault is WalFault.NoSpace or WalFault.ReadOnly)
        {
            throw; // as good as before, and tried again
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            var path = Path.Combine(session.Folder, ObjectKeys.SegmentName(sequence) + ".mcap");
            return Quarantine(session, sequence, File.Exists(path) ? path : path + ".open", $"it cannot be read: {e.Message}");
        }
    }

    private SegmentFile Read(Session session, int sequence)
    {
        var options = LiveSession.OptionsOf(session, configuration);
        var path = Path.Combine(session.Folder, ObjectKeys.SegmentName(sequence) + ".mcap");
        if (File.Exists(path))
            return ReadSealed(session, sequence, path, options);
        var open = path + ".open";
        if (!File.Exists(open))
            return Quarantine(session, sequence, null, "its file is missing");
        using var recovery = new SegmentRecovery(options);
        switch (recovery.Recover(open))
        {
            case RecoveryOutcome.Recovered(var done):
                LogRecovered(session.Id, sequence, done.Facts.Messages, done.Facts.CutBytes);
                TellOfLoss(session, done.Facts);
                return SegmentManifests.SegmentFileOf(session, done, SegmentManifests.LedgerOf(done.Facts), options.PartBytes);
            case RecoveryOutcome.Unrepairable failed:
                return Quarantine(session, sequence, open, failed.Reason);
            default:
                throw new InvalidOperationException("Recovery has an outcome that is not known here.");
        }
    }

    private SegmentFile ReadSealed(Session session, int sequence, string path, SegmentLogOptions options)
    {
        try
        {
            var (segment, ledger) = SealedFile.Read(path, session.Id, sequence, options);
            TellOfLoss(session, segment.Facts);
            return SegmentManifests.SegmentFileOf(session, segment, ledger, options.PartBytes);
        }
        catch (Exception e) when (e is McapException or StateFileException)
        {
            return Quarantine(session, sequence, path, e.Message);
        }
    }

    /// <summary>Tells of messages that no ledger can: after a restart nobody knows their topics. A session that goes on rewords the alarm.</summary>
    private void TellOfLoss(Session session, SegmentFacts facts)
    {
        if (facts.LostMessages > 0)
        {
            alarms.Raise(
                $"altered.{session.Id}.{facts.Sequence}",
                $"segment {facts.Sequence} of session {session.Id} was damaged on the disk: {facts.LostMessages} of its messages are lost, {facts.Messages} are left");
        }
    }

    private SegmentFile Quarantine(Session session, int sequence, string? path, string reason)
    {
        var manifest = session.File.Manifest;
        long bytes = 0;
        var sha256 = "";
        if (path is not null)
        {
            try
            {
                (bytes, sha256) = SealedFile.Hash(path);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                // The reason says so, or will.
            }
            path = SessionBook.Quarantine(configuration.DataDir, path);
        }
        LogQuarantined(session.Id, sequence, path ?? "", reason);
        alarms.Raise($"quarantine.{session.Id}.{sequence}", $"segment {sequence} of session {session.Id} is in quarantine: {reason}");
        return new SegmentFile
        {
            Custody = Custody.Quarantined,
            Reason = reason,
            PartBytes = 8 << 20,
            Manifest = new SegmentManifest
            {
                Robot = manifest.Robot,
                Session = session.Id,
                Sequence = sequence,
                ObjectKey = ObjectKeys.Segment(manifest.ObjectPrefix, sequence),
                Bytes = bytes,
                Sha256 = sha256,
                ETag = "", // it never goes up
                Clock = new ClockFacts { WallNs = 0, MonotonicNs = 0, BootId = "" },
                AgentVersion = AgentVersion.Text,
            },
        };
    }

    [LoggerMessage(EventId = 211, Level = LogLevel.Warning,
        Message = "Segment {Sequence} of session {Session} was recovered: {Messages} messages, {CutBytes} bytes cut")]
    private partial void LogRecovered(Guid session, int sequence, long messages, long cutBytes);

    [LoggerMessage(EventId = 212, Level = LogLevel.Error, Message = "Segment {Sequence} of session {Session} is in quarantine ({Path}): {Reason}")]
    private partial void LogQuarantined(Guid session, int sequence, string path, string reason);
}
