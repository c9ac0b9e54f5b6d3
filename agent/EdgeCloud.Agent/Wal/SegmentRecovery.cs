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
/// <item>Kept: every commit whose record has the file's salt, a number after those before it and a CRC that fits. All that was ever acknowledged is
/// in such commits, whatever else a crash or a power cut did to the file.</item>
/// <item>Cut: everything after the last of them, and what lies between them and is damaged or cannot be read. A Metadata record
/// <c>edgecloud.recovery</c> tells where that is and how many messages were in it, <see cref="SegmentFacts.CutBytes"/> how many bytes.</item>
/// <item>Not counted: commits that a later segment declares void (<see cref="OpenSegment"/>), because their sync failed and their messages were
/// written again.</item>
/// <item>Never guessed: a file whose first commit does not hold is left as it is and reported with the reason.</item>
/// </list>
/// Reads each file a few times at most through buffers, and holds one chunk in memory. May be interrupted at any point and begun again.
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
        Cuts cuts;
        using (var file = _files.OpenRead(path))
        {
            try
            {
                cuts = Scan(file, contents, CapOf(path, sequence));
            }
            catch (McapException damage)
            {
                return new RecoveryOutcome.Unrepairable(sequence, path, $"A commit whose CRC holds has contents that do not: {damage.Message}");
            }

            if (contents.Commits == 0) return new RecoveryOutcome.Unrepairable(sequence, path, $"Its first commit is not whole: {cuts.EndedBy}.");
            cuts.Add(contents.End, LastByte(file, contents.End), cuts.EndedBy);
        }

        var facts = FactsOf(contents, cuts);
        var note = new SegmentMetadata(MetadataName, new Dictionary<string, string>
        {
            ["cut_offset"] = contents.End.ToString(CultureInfo.InvariantCulture),
            ["cut_bytes"] = cuts.Bytes.ToString(CultureInfo.InvariantCulture),
            ["cuts"] = cuts.ToString(),
            ["lost_messages"] = cuts.LostMessages.ToString(CultureInfo.InvariantCulture),
            ["stopped_by"] = cuts.EndedBy,
            ["messages"] = contents.Messages.ToString(CultureInfo.InvariantCulture),
        });
        using var sealing = new SegmentSealing(_files, options, new CommitReport(null));
        return new RecoveryOutcome.Recovered(sealing.Seal(_files.OpenWrite(path), contents, facts, [note], new SegmentDigest()));
    }

    /// <summary>Adds the good commits of a file to <paramref name="contents"/>; answers what is cut before and between them, and why.</summary>
    private Cuts Scan(IWalFile file, SegmentContents contents, ulong cap)
    {
        var scanner = new CommitScanner(file);
        var reader = new CommitReader(file, _codec);
        var cuts = new Cuts();
        while (contents.Commits < cap)
        {
            if (!scanner.TryNext(out var commit)) return cuts.EndBy(scanner.StoppedBy);
            if (commit.Number >= cap) break;
            cuts.Add(contents.End, scanner.Start, scanner.StoppedBy);
            if (!reader.TryRead(scanner.Start, scanner.End - scanner.RecordBytes, contents))
                cuts.Add(scanner.Start, scanner.End, "it has messages of a channel whose definition is lost");
            cuts.LostMessages = commit.Messages - contents.Messages;
            contents.HasGaps = cuts.Bytes > 0;
            contents.End = scanner.End;
            contents.Crc = scanner.Crc;
            contents.Commits = commit.Number + 1;
            contents.OverheadBytes += scanner.RecordBytes;
        }

        return cuts.EndBy($"commit {cap} and those after it are void: their sync failed");
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

    private static SegmentFacts FactsOf(SegmentContents contents, Cuts cuts)
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
            CutBytes = cuts.Bytes,
            LostMessages = (long)cuts.LostMessages,
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
        var (last, length, unreadable) = (from, file.Length, 0L);
        for (var offset = from; offset < length;)
        {
            var step = buffer.Length;
            try
            {
                var index = buffer.AsSpan(0, file.Read(offset, buffer)).LastIndexOfAnyExcept((byte)0);
                if (index >= 0) last = offset + index + 1;
                unreadable = 0;
            }
            catch (WalIoException fault) when (fault.Fault is WalFault.Device)
            {
                step = CommitScanner.StepOver(unreadable);
                unreadable += step;
                last = Math.Min(offset + step, length); // nobody knows
            }

            offset += step;
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

    /// <summary>What is not kept of a file.</summary>
    private sealed class Cuts
    {
        private readonly List<string> _pieces = [];

        /// <summary>Bytes.</summary>
        public long Bytes { get; private set; }

        /// <summary>Messages before the last commit that is kept.</summary>
        public ulong LostMessages { get; set; }

        /// <summary>Why nothing more is kept.</summary>
        public string EndedBy { get; private set; } = "";

        public void Add(long start, long end, string why)
        {
            if (end <= start) return;
            Bytes += end - start;
            _pieces.Add($"{end - start} bytes from {start}: {why}");
        }

        public Cuts EndBy(string why)
        {
            EndedBy = why;
            return this;
        }

        public override string ToString() => string.Join("; ", _pieces);
    }
}
