using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// A segment that is no longer open. Its custody goes along the edges of the custody diagram only, and every step is on disk before
/// <see cref="Changed"/> tells anybody. Only <see cref="State"/> stays in memory; the rest of its file is read when somebody asks.
/// </summary>
internal sealed class Segment
{
    private readonly Lock _gate = new();
    private readonly WeakReference<SegmentFile?> _file = new(null);
    private SegmentState _state;

    private Segment(Session session, SegmentState state) => (Session, _state) = (session, state);

    public Session Session { get; }

    /// <summary>The recording itself; gone once released or discarded.</summary>
    public string MediaPath => Path.Combine(Session.Folder, ObjectKeys.SegmentName(Sequence) + ".mcap");

    public SegmentState State => Volatile.Read(ref _state);

    /// <summary>What it holds: read from its file, unless somebody else has it in hand.</summary>
    /// <exception cref="StateFileException">The file is gone or damaged.</exception>
    public SegmentManifest Manifest => Read().Manifest;

    public int Sequence => State.Sequence;

    public Custody Custody => State.Custody;

    /// <summary>Its recording is on this disk.</summary>
    public bool HasMedia => Custody is Custody.Sealed or Custody.Uploading or Custody.Uploaded or Custody.Acknowledged;

    /// <summary>Nothing more will be uploaded or checked.</summary>
    public bool IsSettled => Custody is Custody.Acknowledged or Custody.Released or Custody.Discarded or Custody.Quarantined;

    /// <summary>Told after each change of custody, on the thread that made it.</summary>
    public event Action<Segment>? Changed;

    /// <summary>Makes a new segment durable.</summary>
    public static Segment Create(Session session, SegmentFile file)
    {
        var segment = new Segment(session, SegmentState.Of(file));
        DurableFile.Write(segment.StatePath, file, SessionJson.Default.SegmentFile);
        segment._file.SetTarget(file);
        return segment;
    }

    /// <summary>Reads what stays in memory of a segment's file.</summary>
    /// <exception cref="StateFileException">It is damaged.</exception>
    public static Segment Load(Session session, string path)
    {
        var head = DurableFile.Read(path, SessionJson.Default.SegmentFileHead) ?? throw new StateFileException($"{path} is gone");
        return new Segment(session, SegmentState.Of(head));
    }

    /// <summary>All of its file.</summary>
    /// <exception cref="StateFileException">It is gone or damaged.</exception>
    public SegmentFile Read()
    {
        lock (_gate)
        {
            if (_file.TryGetTarget(out var known))
                return known;
            var file = DurableFile.Read(StatePath, SessionJson.Default.SegmentFile) ?? throw new StateFileException($"{StatePath} is gone");
            _file.SetTarget(file);
            return file;
        }
    }

    /// <summary>Moves custody on; false when there is no edge from where the segment is, and then nothing happens.</summary>
    /// <exception cref="IOException">The disk refuses: the segment is where it was. So for every change here.</exception>
    public bool TryAdvance(Custody to, string reason = "")
    {
        lock (_gate)
        {
            if (!TryStep(to, reason))
                return false;
        }
        Changed?.Invoke(this);
        return true;
    }

    /// <summary>Gives the segment up and deletes its recording; false when it is not in a state for that.</summary>
    public bool TryDiscard(string cause)
    {
        lock (_gate)
        {
            try
            {
                if (!TryStep(Custody.Discarded, cause))
                    return false;
            }
            catch (IOException)
            {
                // A full disk has no room for these words either: the recording makes some. A crash before they are written leaves a segment
                // that is found missing, which is on record as well.
                File.Delete(MediaPath);
                TryStep(Custody.Discarded, cause);
            }
            File.Delete(MediaPath);
        }
        Changed?.Invoke(this);
        return true;
    }

    /// <summary>Deletes the recording of an acknowledged segment: first, so that a full disk has room for the rest. It is in the bucket.</summary>
    public bool TryRelease()
    {
        lock (_gate)
        {
            if (!IsEdge(_state.Custody, Custody.Released))
                return false;
            File.Delete(MediaPath);
            TryStep(Custody.Released, "");
        }
        Changed?.Invoke(this);
        return true;
    }

    /// <summary>Deletes what is known about a segment that nobody needs to know of any more; its recording is gone already.</summary>
    public void DeleteState() => File.Delete(StatePath);

    /// <summary>The control plane has answered <paramref name="custody"/>.</summary>
    public void Note(Custody custody)
    {
        lock (_gate)
        {
            if (_state.Noted != custody)
                Store(f => f with { Noted = custody });
        }
    }

    /// <summary>Remembers how far an upload in parts is; null forgets it.</summary>
    public void Remember(MultipartUpload? multipart)
    {
        lock (_gate)
            Store(f => f with { Multipart = multipart });
    }

    private string StatePath => Path.Combine(Session.Folder, ObjectKeys.SegmentName(Sequence) + ".json");

    private bool TryStep(Custody to, string reason)
    {
        if (!IsEdge(_state.Custody, to))
            return false;
        // A failed upload comes back with the parts that are there already.
        var multipart = to is Custody.Uploading or Custody.Sealed ? _state.Multipart : null;
        Store(f => f with { Custody = to, Reason = reason, Multipart = multipart });
        return true;
    }

    private void Store(Func<SegmentFile, SegmentFile> change)
    {
        var file = change(Read());
        DurableFile.Write(StatePath, file, SessionJson.Default.SegmentFile);
        _file.SetTarget(file);
        Volatile.Write(ref _state, SegmentState.Of(file));
    }

    private static bool IsEdge(Custody from, Custody to) => (from, to) switch
    {
        // Quarantined: altered on the disk after it was sealed.
        (Custody.Sealed, Custody.Uploading or Custody.Discarded or Custody.Quarantined) => true,
        (Custody.Uploading, Custody.Uploaded or Custody.Sealed or Custody.Quarantined) => true,
        (Custody.Uploaded, Custody.Acknowledged or Custody.Sealed or Custody.Discarded) => true,
        (Custody.Acknowledged, Custody.Released) => true,
        _ => false,
    };
}
