using System.Globalization;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Compression;

namespace EdgeCloud.Agent.Wal;

/// <summary>What recovery did with a segment that a dead process had left open.</summary>
public abstract record RecoveryOutcome(int Sequence, string Path)
{
    /// <summary>The segment was brought to a sealed file.</summary>
    public sealed record Recovered(SealedSegment Segment) : RecoveryOutcome(Segment.Facts.Sequence, Segment.Path);

    /// <summary>The file cannot be repaired, or nothing in it counts; it was left as it is, for its owner to put aside.</summary>
    public sealed record Unrepairable(int Sequence, string Path, string Reason) : RecoveryOutcome(Sequence, Path);
}

/// <summary>What a session's folder holds after a restart.</summary>
/// <param name="NextSequence">The number for the next new segment; at least 1.</param>
/// <param name="Open">Open segments to recover, in order.</param>
public sealed record RecoverySurvey(int NextSequence, IReadOnlyList<string> Open);

/// <summary>
/// Brings segments that a dead process left open to sealed files.
/// <list type="bullet">
/// <item>Kept: every commit from the file's start on whose record has the file's salt, the number that is due and a CRC that fits, up to the
/// first that has not. All that was ever acknowledged is in such commits, whatever else a crash or a power cut did to the file.</item>
/// <item>Cut: everything after that, recorded in a Metadata record <c>edgecloud.recovery</c> and in <see cref="SegmentFacts.CutBytes"/>.</item>
/// <item>Not counted: commits that a later segment declares void (<see cref="OpenSegment"/>), because their sync failed and their messages were
/// written again.</item>
/// <item>Never guessed: a file whose first commit does not hold is left as it is and reported with the reason.</item>
/// </list>
/// Reads each file once or twice through buffers, and holds one chunk in memory. May be interrupted at any point and begun again.
/// </summary>
public sealed class SegmentRecovery(SegmentLogOptions options, IWalFiles? files = null) : IDisposable
{
    /// <summary>Name of the Metadata record that tells what was cut.</summary>
    public const string MetadataName = "edgecloud.recovery";

    private const int NeverBegunBytes = 1 << 20;

    private readonly IWalFiles _files = files ?? new LinuxFiles();
    private readonly ChunkCodec _codec = new();

    /// <summary>
    /// Looks at a folder, quickly: finds the next free number and the segments to recover, and removes what was never begun or is left over from
    /// a sealing that was interrupted. To be called before a log is opened on the folder; recovery of the files found may run beside that log.
    /// </summary>
    public RecoverySurvey Survey(string directory)
    {
        directory = Path.GetFullPath(directory);
        var next = 1;
        var open = new List<string>();
        foreach (var path in _files.List(directory))
        {
            if (SegmentName.SequenceOf(path) is not { } sequence) continue;
            var suffix = SegmentName.SuffixOf(path);
            var isStale = suffix switch
            {
                SegmentName.Rewrite => true,
                SegmentName.Open => _files.Exists(SegmentName.With(path, SegmentName.Sealed)) || IsNeverBegun(path),
                _ => false,
            };
            if (isStale)
            {
                _files.Delete(path);
                continue;
            }

            next = Math.Max(next, sequence + 1);
            if (suffix == SegmentName.Open) open.Add(path);
        }

        _files.SyncDirectory(directory);
        return new RecoverySurvey(next, open);
    }

    /// <summary>Recovers one open segment.</summary>
    /// <param name="path">One of <see cref="RecoverySurvey.Open"/>.</param>
    /// <exception cref="WalIoException">The disk refuses; the file is as good as before.</exception>
    public RecoveryOutcome Recover(string path)
    {
        var sequence = SegmentName.SequenceOf(path)
            ?? throw new ArgumentException($"{path} is not the name of a segment, such as 000001{SegmentName.Open}.", nameof(path));
        var contents = new SegmentContents(sequence);
        string stoppedBy;
        long cut;
        using (var file = _files.OpenRead(path))
        {
            try
            {
                stoppedBy = Scan(file, contents, CapOf(path, sequence));
            }
            catch (McapException damage)
            {
                return new RecoveryOutcome.Unrepairable(sequence, path, $"A commit whose CRC holds has contents that do not: {damage.Message}");
            }

            if (contents.Commits == 0) return new RecoveryOutcome.Unrepairable(sequence, path, $"Its first commit is not whole: {stoppedBy}.");
            cut = LastByte(file, contents.End) - contents.End;
        }

        var facts = FactsOf(contents, cut);
        var note = new SegmentMetadata(MetadataName, new Dictionary<string, string>
        {
            ["cut_offset"] = contents.End.ToString(CultureInfo.InvariantCulture),
            ["cut_bytes"] = cut.ToString(CultureInfo.InvariantCulture),
            ["stopped_by"] = stoppedBy,
            ["messages"] = contents.Messages.ToString(CultureInfo.InvariantCulture),
        });
        using var sealing = new SegmentSealing(_files, options, new CommitReport(null));
        return new RecoveryOutcome.Recovered(sealing.Seal(_files.OpenWrite(path), contents, facts, [note], new SegmentDigest()));
    }

    /// <summary>Adds the good commits of a file to <paramref name="contents"/>; returns why there are no more.</summary>
    private string Scan(IWalFile file, SegmentContents contents, ulong cap)
    {
        var scanner = new CommitScanner(file);
        var reader = new CommitReader(file, _codec);
        while (true)
        {
            if (contents.Commits == cap) return $"commit {cap} and those after it are void: their sync failed";
            var start = scanner.End;
            if (!scanner.TryNext(out _)) return scanner.StoppedBy;
            reader.Read(start, scanner.End - scanner.RecordBytes, contents);
            contents.End = scanner.End;
            contents.Crc = scanner.Crc;
            contents.Commits++;
            contents.OverheadBytes += scanner.RecordBytes;
        }
    }

    /// <summary>The number of commits of a segment that count, as later segments tell.</summary>
    private ulong CapOf(string path, int sequence)
    {
        var cap = ulong.MaxValue;
        foreach (var other in _files.List(Path.GetDirectoryName(path)!))
        {
            if (SegmentName.SequenceOf(other) is not { } later || later <= sequence) continue;
            if (StartMetadata(other) is not { } metadata) continue;
            foreach (var entry in metadata.GetValueOrDefault("caps", "").Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                var parts = entry.Split(':');
                if (int.Parse(parts[0], CultureInfo.InvariantCulture) == sequence)
                    cap = Math.Min(cap, ulong.Parse(parts[1], CultureInfo.InvariantCulture));
            }
        }

        return cap;
    }

    /// <summary>What a segment says of itself and those before it; null when that cannot be read.</summary>
    private IReadOnlyDictionary<string, string>? StartMetadata(string path)
    {
        try
        {
            using var file = _files.OpenRead(path);
            return CommitReader.StartMetadata(file, OpenSegment.MetadataName);
        }
        catch (WalIoException)
        {
            return null;
        }
    }

    private static SegmentFacts FactsOf(SegmentContents contents, long cut)
    {
        var own = contents.Metadata.FirstOrDefault(m => m.Record.Name == OpenSegment.MetadataName).Record?.Pairs;
        return new SegmentFacts
        {
            Sequence = contents.Sequence,
            Reason = SealReason.Recovered,
            Messages = (long)contents.Messages,
            LogTimeStartNs = contents.Messages == 0 ? 0 : contents.StartTime,
            LogTimeEndNs = contents.EndTime,
            Channels = [.. contents.Channels.Values.Where(channel => !contents.IsRepeat(channel.Id)).Select(Describe)],
            Clock = new SegmentClock(Number("wall_ns"), Number("monotonic_ns"), own?.GetValueOrDefault("boot_id") ?? ""),
            CutBytes = cut,
        };

        long Number(string key) => long.Parse(own?.GetValueOrDefault(key) ?? "0", CultureInfo.InvariantCulture);

        SegmentChannel Describe(Channel channel)
        {
            var totals = contents.Totals.GetValueOrDefault(channel.Id);
            var schema = contents.Schemas.GetValueOrDefault(channel.SchemaId);
            return new SegmentChannel
            {
                Definition = new ChannelDefinition
                {
                    Topic = channel.Topic,
                    MessageEncoding = channel.MessageEncoding,
                    SchemaName = schema?.Name ?? "",
                    SchemaEncoding = schema?.Encoding ?? "",
                    SchemaData = schema?.Data ?? default,
                    Metadata = channel.Metadata,
                    Latched = contents.IsRepeat((ushort)(channel.Id + 1)),
                },
                Messages = totals?.Messages ?? 0,
                Bytes = totals?.Bytes ?? 0,
                FirstLogTimeNs = totals?.FirstLogTime ?? 0,
                LastLogTimeNs = totals?.LastLogTime ?? 0,
            };
        }
    }

    /// <summary>End of the last byte that is not zero: reserved space reads as zeros and is no loss. In a recycled file this includes what the
    /// file held before.</summary>
    private static long LastByte(IWalFile file, long from)
    {
        var buffer = new byte[1 << 16];
        var last = from;
        for (var offset = from; file.Read(offset, buffer) is > 0 and var read; offset += read)
        {
            var index = buffer.AsSpan(0, read).LastIndexOfAnyExcept((byte)0);
            if (index >= 0) last = offset + index + 1;
        }

        return last;
    }

    private bool IsNeverBegun(string path)
    {
        try
        {
            using var file = _files.OpenRead(path);
            var start = new byte[Math.Min(file.Length, NeverBegunBytes)];
            return file.Read(0, start) == start.Length && !start.AsSpan().ContainsAnyExcept((byte)0);
        }
        catch (WalIoException)
        {
            return false; // what cannot be read may hold something: recovery says what becomes of it
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _codec.Dispose();
}
