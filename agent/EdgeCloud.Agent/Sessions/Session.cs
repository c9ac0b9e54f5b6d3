using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// A session and its segments as they are on disk. Changes are durable before <see cref="Changed"/> tells anybody. What a live session
/// does with messages is <see cref="SessionRecording"/>'s.
/// </summary>
internal sealed class Session
{
    private readonly Lock _gate = new();
    private readonly SortedDictionary<int, Segment> _segments = [];
    private readonly SortedDictionary<int, SegmentFile> _unchained = [];
    private readonly Dictionary<Guid, TimeRange> _pins = []; // by event
    private SessionFile _file;
    private Segment[]? _inOrder;
    private IReadOnlyList<LedgerEntry> _discarded;
    private int _nextSequence;
    private int _holds;

    private Session(string folder, SessionFile file)
    {
        Folder = folder;
        _file = file;
        _nextSequence = RunOverThrough + 1;
        _discarded = file.RunOver?.Discarded ?? [];
    }

    public Guid Id => File.Manifest.Session;

    /// <summary>Where its files are.</summary>
    public string Folder { get; }

    public SessionFile File => Volatile.Read(ref _file);

    public SessionState State => File.Manifest.State;

    /// <summary>Its segments that are no longer open, in order.</summary>
    public IReadOnlyList<Segment> Segments
    {
        get
        {
            lock (_gate)
                return _inOrder ??= [.. _segments.Values];
        }
    }

    /// <summary>The segments up to this one were run over and are no longer among <see cref="Segments"/>; 0 for none.</summary>
    public int RunOverThrough => File.RunOver?.Through ?? 0;

    /// <summary>Over, and no segment can be added any more: none is open, being recovered or waiting for an earlier one.</summary>
    public bool IsComplete
    {
        get
        {
            lock (_gate)
                return !State.IsLive() && _holds == 0 && _unchained.Count == 0;
        }
    }

    /// <summary>
    /// Nothing of it is left to do or to tell: its certificate is in the bucket, its recordings are gone from this disk, and the control plane has
    /// answered that of the session and of every segment.
    /// </summary>
    public bool IsSpent => File is { Certified: true, Noted: true } && IsComplete && Segments.All(s => s.IsSettled && !s.HasMedia && s.State.Noted == s.Custody);

    /// <summary>Told after the session changed.</summary>
    public event Action<Session>? Changed;

    /// <summary>Told after a segment was added or changed custody.</summary>
    public event Action<Segment>? SegmentChanged;

    /// <summary>The counts of a live session that no segment up to the given one accounts for; set by whoever records it.</summary>
    public Func<int, IReadOnlyList<LedgerEntry>>? LiveCounts { get; set; }

    /// <summary>Makes a new session durable in <paramref name="folder"/>, which is created.</summary>
    public static Session Create(string folder, SessionManifest manifest)
    {
        Directory.CreateDirectory(folder);
        var session = new Session(folder, new SessionFile { Manifest = manifest });
        try
        {
            DurableFile.Write(session.StatePath, session._file, SessionJson.Default.SessionFile);
            DurableFile.SyncDirectory(Path.GetDirectoryName(folder)!);
            return session;
        }
        catch (IOException)
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <summary>
    /// Reads a session and its segments' files. A segment's file that is damaged is left out after <paramref name="onDamagedSegment"/> was told
    /// of it: recovery reads the recording itself again.
    /// </summary>
    /// <exception cref="StateFileException">The session's own file is damaged or missing; with nobody to tell, also a segment's.</exception>
    public static Session Load(string folder, Action<string, StateFileException>? onDamagedSegment = null)
    {
        var path = Path.Combine(folder, "session.json");
        var file = DurableFile.Read(path, SessionJson.Default.SessionFile) ?? throw new StateFileException($"{path} is missing");
        var session = new Session(folder, file);
        foreach (var segmentPath in Directory.EnumerateFiles(folder, "*.json"))
        {
            if (!int.TryParse(Path.GetFileNameWithoutExtension(segmentPath), out var sequence))
                continue;
            if (sequence <= session.RunOverThrough)
            {
                System.IO.File.Delete(segmentPath); // the crash came between remembering it as run over and this
                continue;
            }
            try
            {
                session.Add(Segment.Load(session, segmentPath));
            }
            catch (StateFileException e) when (onDamagedSegment is not null)
            {
                onDamagedSegment(segmentPath, e);
            }
        }
        session._file = session.WithLedger(session._file);
        return session;
    }

    /// <summary>
    /// Makes a session's own file anew from what its segments' files tell: it is over then, as failed, and what was recorded is delivered. False
    /// when no segment's file can be read.
    /// </summary>
    public static bool TrySalvage(string folder, string reason)
    {
        SegmentManifest? first = null, last = null;
        foreach (var path in Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal))
        {
            try
            {
                if (int.TryParse(Path.GetFileNameWithoutExtension(path), out _)
                    && DurableFile.Read(path, SessionJson.Default.SegmentFile) is { Manifest: var manifest })
                    (first, last) = (first ?? manifest, manifest);
            }
            catch (StateFileException)
            {
                // Told when the session is loaded.
            }
        }
        if (first is null || last is null)
            return false;
        DurableFile.Write(Path.Combine(folder, "session.json"), new SessionFile
        {
            LedgerThrough = first.Sequence - 1,
            RunOver = first.Sequence == 1 ? null : new RunOver { Through = first.Sequence - 1, Sha256 = first.PreviousSha256 ?? "" },
            Manifest = new SessionManifest
            {
                Robot = first.Robot,
                Session = first.Session,
                State = SessionState.Failed,
                Reason = reason,
                ObjectPrefix = first.ObjectKey[..(first.ObjectKey.LastIndexOf('/') + 1)],
                StartedNs = first.Clock.WallNs,
                EndedNs = Math.Max(last.LogTimeEndNs, last.Clock.WallNs),
                LastSequence = last.Sequence,
                AgentVersion = AgentVersion.Text,
            },
        }, SessionJson.Default.SessionFile);
        return true;
    }

    /// <summary>Changes what is known of the session; from then on the control plane has to be told again.</summary>
    public void Update(Func<SessionFile, SessionFile> change) => Store(f => change(f) with { Noted = false });

    /// <summary>Changes what nobody needs to be told, such as <see cref="SessionFile.Noted"/> itself.</summary>
    public void UpdateQuietly(Func<SessionFile, SessionFile> change) => Store(change, quietly: true);

    /// <summary>
    /// An operator, or a trigger, wants the segments of these log times in the bucket: they go up first, whatever the session's policy. What
    /// was asked for before stays asked for.
    /// </summary>
    public void Request(TimeRange range)
    {
        var requested = TimeRange.Union([.. File.Manifest.Requested, range]);
        if (!requested.SequenceEqual(File.Manifest.Requested))
            Update(f => f with { Manifest = f.Manifest with { Requested = TimeRange.Union([.. f.Manifest.Requested, range]) } });
    }

    /// <summary>True when somebody asked for a segment that holds these log times, or an event holds on to it.</summary>
    public bool IsRequested(Segment segment) =>
        File.Manifest.Requested.Any(r => r.Overlaps(segment.State.LogTimeStartNs, segment.State.LogTimeEndNs)) || PinsOn(segment) > 0;

    /// <summary>An event holds on to the segments of these log times until <see cref="Unpin"/>: they are never run over, and go up.</summary>
    public void Pin(Guid holder, long fromNs, long toNs)
    {
        lock (_pins)
            _pins[holder] = new TimeRange(fromNs, toNs + 1);
        Changed?.Invoke(this); // its segments have another place in the queue of uploads now
    }

    /// <summary>See <see cref="Pin"/>.</summary>
    public void Unpin(Guid holder)
    {
        lock (_pins)
            _pins.Remove(holder);
        Changed?.Invoke(this);
    }

    /// <summary>How many events hold on to a segment.</summary>
    public int PinsOn(Segment segment)
    {
        lock (_pins)
            return _pins.Values.Count(p => p.Overlaps(segment.State.LogTimeStartNs, segment.State.LogTimeEndNs));
    }

    /// <summary>Somebody works on segments that are not in the chain: the session is not complete until <see cref="Release"/>.</summary>
    public void Hold() => Interlocked.Increment(ref _holds);

    /// <summary>See <see cref="Hold"/>.</summary>
    public void Release()
    {
        Interlocked.Decrement(ref _holds);
        Changed?.Invoke(this);
    }

    /// <summary>
    /// Takes a sealed or quarantined segment into the chain. Segments may come out of order (recovery of one runs beside the recording of
    /// the next); each waits until those before it are there, so that links are made in order and only once.
    /// </summary>
    /// <exception cref="IOException">The disk refuses: nothing is lost, and the same segment may be added again.</exception>
    public void AddToChain(SegmentFile unchained)
    {
        List<Segment> added = [];
        int last;
        try
        {
            lock (_gate)
            {
                // One that comes again is in the chain, and the session's own file could not be written.
                if (unchained.Manifest.Sequence >= _nextSequence)
                    _unchained[unchained.Manifest.Sequence] = unchained;
                while (_unchained.TryGetValue(_nextSequence, out var next))
                {
                    var previous = _segments.GetValueOrDefault(next.Manifest.Sequence - 1)?.Manifest.Sha256
                        ?? (next.Manifest.Sequence == RunOverThrough + 1 ? _file.RunOver?.Sha256 : null);
                    var segment = Segment.Create(this, next with { Manifest = next.Manifest with { PreviousSha256 = previous } });
                    _unchained.Remove(next.Manifest.Sequence);
                    Add(segment);
                    added.Add(segment);
                }
                last = _nextSequence - 1;
            }
        }
        finally
        {
            foreach (var segment in added)
                SegmentChanged?.Invoke(segment);
        }
        // The session's ledger grew: told once a segment, the portal is never further behind than that.
        if (added.Count > 0 || File.Manifest.LastSequence < last)
            Update(f => WithLedger(f) with { Manifest = f.Manifest with { LastSequence = Math.Max(f.Manifest.LastSequence, last) } });
    }

    /// <summary>
    /// Forgets, of a live session, the segments at the chain's beginning that were run over and of which the control plane knows that: what was in
    /// them stays in the ledger, and the chain goes on from the last of them. Nothing happens while they are few.
    /// </summary>
    public void ForgetRunOver(int atLeast = 64)
    {
        lock (_gate)
        {
            var gone = _segments.Values.TakeWhile(s => s.Custody is Custody.Discarded && s.State.Noted is Custody.Discarded).ToList();
            if (!State.IsLive() || gone.Count < atLeast || gone[^1].Sequence > _file.LedgerThrough)
                return;
            Store(f => f with
            {
                RunOver = new RunOver
                {
                    Through = gone[^1].Sequence,
                    Sha256 = gone[^1].Manifest.Sha256,
                    Discarded = LedgerEntry.Sum((f.RunOver?.Discarded ?? []).Concat(gone.SelectMany(DiscardedOf))),
                },
            }, quietly: true);
            foreach (var segment in gone)
            {
                _segments.Remove(segment.Sequence);
                segment.DeleteState();
            }
            _inOrder = null;
        }
    }

    /// <summary>The manifest as it is now: sums over the segments and what is counted and in no segment.</summary>
    public SessionManifest Describe()
    {
        var file = File;
        var segments = Segments;
        var last = segments.Count == 0 ? RunOverThrough : segments[^1].Sequence;
        var unsegmented = LiveCounts?.Invoke(last) ?? [.. file.Unsegmented, .. file.Ended.Where(e => e.Sequence > last).SelectMany(e => e.Ledger)];
        // Behind a hole in the chain there may be more.
        var behind = segments.Where(s => s.Sequence > file.LedgerThrough).SelectMany(s => s.Manifest.Ledger);
        var ledger = LedgerEntry.Sum(file.SegmentsLedger.Concat(behind).Concat(Discarded).Concat(unsegmented));
        return file.Manifest with
        {
            LastSequence = last,
            RunOverThrough = RunOverThrough,
            Messages = ledger.Sum(e => e.Recorded),
            Ledger = ledger,
        };
    }

    /// <summary>The certificate: <see cref="Describe"/> with every segment.</summary>
    public SessionManifest Certify() => Describe() with
    {
        Segments = [.. Segments.Select(s => new CertifiedSegment
        {
            Sequence = s.Sequence,
            Custody = s.Custody,
            Reason = s.State.Reason,
            Sha256 = s.Manifest.Sha256,
            Bytes = s.Manifest.Bytes,
            Messages = s.Manifest.Messages,
        })],
    };

    private void Tell(Segment segment)
    {
        CountDiscarded(segment);
        SegmentChanged?.Invoke(segment);
    }

    /// <summary>What discarded segments held, by topic.</summary>
    private IReadOnlyList<LedgerEntry> Discarded
    {
        get
        {
            lock (_gate)
                return _discarded;
        }
    }

    private void CountDiscarded(Segment segment)
    {
        if (segment.Custody is not Custody.Discarded)
            return;
        lock (_gate)
            _discarded = LedgerEntry.Sum(_discarded.Concat(DiscardedOf(segment)));
    }

    private static IEnumerable<LedgerEntry> DiscardedOf(Segment segment) =>
        segment.Manifest.Ledger.Select(e => new LedgerEntry { Topic = e.Topic, Discarded = e.Recorded });

    /// <summary>The file with the ledgers of those segments added that follow without a hole on what is in it.</summary>
    private SessionFile WithLedger(SessionFile file)
    {
        List<LedgerEntry> ledger = [.. file.SegmentsLedger];
        var through = file.LedgerThrough;
        while (_segments.TryGetValue(through + 1, out var next))
        {
            ledger.AddRange(next.Manifest.Ledger);
            through++;
        }
        return through == file.LedgerThrough ? file : file with { SegmentsLedger = LedgerEntry.Sum(ledger), LedgerThrough = through };
    }

    private string StatePath => Path.Combine(Folder, "session.json");

    private void Add(Segment segment)
    {
        _segments.Add(segment.Sequence, segment);
        _inOrder = null;
        CountDiscarded(segment);
        segment.Changed += Tell;
        while (_segments.ContainsKey(_nextSequence))
            _nextSequence++;
    }

    private void Store(Func<SessionFile, SessionFile> change, bool quietly = false)
    {
        lock (_gate)
        {
            var changed = change(_file);
            DurableFile.Write(StatePath, changed, SessionJson.Default.SessionFile);
            Volatile.Write(ref _file, changed);
        }
        if (!quietly)
            Changed?.Invoke(this);
    }
}
