using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// A segment that is no longer open. Its custody goes along the edges of the custody diagram only, and every step is on disk before
/// <see cref="Changed"/> tells anybody.
/// </summary>
internal sealed class Segment
{
    private readonly Lock _gate = new();
    private readonly string _statePath;
    private SegmentFile _state;

    private Segment(Session session, SegmentFile state)
    {
        Session = session;
        _state = state;
        var name = ObjectKeys.SegmentName(state.Manifest.Sequence);
        _statePath = Path.Combine(session.Folder, name + ".json");
        MediaPath = Path.Combine(session.Folder, name + ".mcap");
    }

    public Session Session { get; }

    /// <summary>The recording itself; gone once released or discarded.</summary>
    public string MediaPath { get; }

    public SegmentFile State => Volatile.Read(ref _state);

    public SegmentManifest Manifest => State.Manifest;

    public int Sequence => State.Manifest.Sequence;

    public Custody Custody => State.Custody;

    /// <summary>Its recording is on this disk.</summary>
    public bool HasMedia => Custody is Custody.Sealed or Custody.Uploading or Custody.Uploaded or Custody.Acknowledged;

    /// <summary>Nothing more will be uploaded or checked.</summary>
    public bool IsSettled => Custody is Custody.Acknowledged or Custody.Released or Custody.Discarded or Custody.Quarantined;

    /// <summary>Told after each change of custody, on the thread that made it.</summary>
    public event Action<Segment>? Changed;

    /// <summary>Makes a new segment durable.</summary>
    public static Segment Create(Session session, SegmentFile state)
    {
        var segment = new Segment(session, state);
        DurableFile.Write(segment._statePath, state, SessionJson.Default.SegmentFile);
        return segment;
    }

    /// <summary>Reads a segment's file.</summary>
    /// <exception cref="StateFileException">It is damaged.</exception>
    public static Segment Load(Session session, string path) => new(
        session, DurableFile.Read(path, SessionJson.Default.SegmentFile) ?? throw new StateFileException($"{path} is gone"));

    /// <summary>Moves custody on; false when there is no edge from where the segment is, and then nothing happens.</summary>
    public bool TryAdvance(Custody to, string reason = "")
    {
        lock (_gate)
        {
            if (!IsEdge(_state.Custody, to))
                return false;
            // A failed upload comes back with the parts that are there already.
            var multipart = to is Custody.Uploading or Custody.Sealed ? _state.Multipart : null;
            Store(_state with { Custody = to, Reason = reason, Multipart = multipart });
        }
        Changed?.Invoke(this);
        return true;
    }

    /// <summary>Gives the segment up and deletes its recording; false when it is not in a state for that.</summary>
    public bool TryDiscard(string cause)
    {
        if (!TryAdvance(Custody.Discarded, cause))
            return false;
        File.Delete(MediaPath);
        return true;
    }

    /// <summary>Deletes the recording of an acknowledged segment.</summary>
    public bool TryRelease()
    {
        if (!TryAdvance(Custody.Released))
            return false;
        File.Delete(MediaPath);
        return true;
    }

    /// <summary>The control plane has answered <paramref name="custody"/>.</summary>
    public void Note(Custody custody)
    {
        lock (_gate)
        {
            if (_state.Noted != custody)
                Store(_state with { Noted = custody });
        }
    }

    /// <summary>Remembers how far an upload in parts is; null forgets it.</summary>
    public void Remember(MultipartUpload? multipart)
    {
        lock (_gate)
            Store(_state with { Multipart = multipart });
    }

    private void Store(SegmentFile state)
    {
        DurableFile.Write(_statePath, state, SessionJson.Default.SegmentFile);
        Volatile.Write(ref _state, state);
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
