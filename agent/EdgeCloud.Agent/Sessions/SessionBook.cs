using System.Collections.Concurrent;
using System.Text.Json.Serialization.Metadata;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>All sessions of this robot that are on disk: <c>{data_dir}/sessions/{session id}/</c>.</summary>
internal sealed class SessionBook
{
    private readonly ConcurrentDictionary<Guid, Session> _sessions = [];
    private readonly string _root;
    private readonly string _forgotten;

    private SessionBook(string dataDir) => (_root, _forgotten) = (Path.Combine(dataDir, "sessions"), Path.Combine(dataDir, "forgotten"));

    /// <summary>Every session, oldest first.</summary>
    public IReadOnlyList<Session> All => [.. _sessions.Values.OrderBy(s => s.File.Manifest.StartedNs).ThenBy(s => s.Id)];

    /// <summary>Told after a session was made or changed.</summary>
    public event Action<Session>? SessionChanged;

    /// <summary>Told after a segment was added or changed custody.</summary>
    public event Action<Segment>? SegmentChanged;

    /// <summary>
    /// Reads every session of a data folder. What is damaged or does not belong there goes to <c>quarantine/</c>, and <paramref name="onDamage"/>
    /// is told what and why; the rest is used.
    /// </summary>
    public static SessionBook Open(string dataDir, Action<string> onDamage)
    {
        var book = new SessionBook(dataDir);
        Directory.CreateDirectory(book._root);
        if (Directory.Exists(book._forgotten))
            Directory.Delete(book._forgotten, recursive: true);
        foreach (var folder in Directory.GetDirectories(book._root))
        {
            if (Load(dataDir, folder, onDamage) is { } session)
                book.Add(session);
        }
        foreach (var file in Directory.GetFiles(book._root))
            onDamage($"{file} is no session; moved to {Quarantine(dataDir, file)}");
        return book;
    }

    private static Session? Load(string dataDir, string folder, Action<string> onDamage)
    {
        void Aside(string path, StateFileException e) =>
            onDamage($"{e.Message}; moved to {Quarantine(dataDir, path)}, its recording is read again");
        try
        {
            return Session.Load(folder, Aside);
        }
        catch (StateFileException e)
        {
            var own = Path.Combine(folder, "session.json");
            var damaged = File.Exists(own) ? Quarantine(dataDir, own) : own;
            if (Session.TrySalvage(folder, $"its file was damaged: {e.Message}"))
            {
                onDamage($"{e.Message}; what is left of it is {damaged}. The session is over, and its segments are delivered");
                return Session.Load(folder, Aside);
            }
            onDamage($"{e.Message}; moved to {Quarantine(dataDir, folder)}");
            return null;
        }
    }

    /// <summary>Reads what can be read and changes nothing: for a look while an agent works on the folder.</summary>
    public static SessionBook Look(string dataDir)
    {
        var book = new SessionBook(dataDir);
        foreach (var folder in Directory.Exists(book._root) ? Directory.GetDirectories(book._root) : [])
        {
            try
            {
                book.Add(Session.Load(folder, (_, _) => { }));
            }
            catch (StateFileException)
            {
                // The agent's next start tells of it.
            }
        }
        return book;
    }

    public Session? Find(Guid id) => _sessions.GetValueOrDefault(id);

    /// <summary>Makes a new session, durable when this returns.</summary>
    /// <param name="manifest">What it is.</param>
    /// <param name="isHeld">Whether it begins with a <see cref="Session.Hold"/>, which its maker ends: nobody takes it for complete before.</param>
    public Session Create(SessionManifest manifest, bool isHeld = false)
    {
        var session = Session.Create(Path.Combine(_root, manifest.Session.ToString("D")), manifest);
        if (isHeld)
            session.Hold();
        Add(session);
        SessionChanged?.Invoke(session);
        return session;
    }

    /// <summary>
    /// Forgets sessions of which everything is known elsewhere, so that neither disk nor memory nor what is looked through grow with every session
    /// that ever was. One that an event refers to stays as long as the event. A crash in between forgets a session or not, and nothing halfway.
    /// </summary>
    public void ForgetSpent()
    {
        var all = All;
        var parents = all.Select(s => s.File.Manifest.Event?.Parent).ToHashSet();
        foreach (var session in all.Where(s => s.IsSpent && !parents.Contains(s.Id)))
        {
            var aside = Path.Combine(_forgotten, session.Id.ToString("D"));
            Directory.CreateDirectory(_forgotten);
            Directory.Move(session.Folder, aside);
            _sessions.TryRemove(session.Id, out _);
            DurableFile.SyncDirectory(_forgotten);
            DurableFile.SyncDirectory(_root);
            Directory.Delete(aside, recursive: true);
        }
    }

    /// <summary>A segment's recording is not what was sealed: custody ends here, and what there is of the file goes aside.</summary>
    public void Quarantine(Segment segment, string reason)
    {
        if (segment.TryAdvance(Custody.Quarantined, reason) && File.Exists(segment.MediaPath))
            Quarantine(Path.GetDirectoryName(_root)!, segment.MediaPath);
    }

    /// <summary>Reads a file of the agent's memory; null when it is not there, or was damaged and moved aside.</summary>
    public static T? ReadOrQuarantine<T>(string dataDir, string path, JsonTypeInfo<T> type, Action<string> onDamage) where T : class
    {
        try
        {
            return DurableFile.Read(path, type);
        }
        catch (StateFileException e)
        {
            onDamage($"{e.Message}; moved to {Quarantine(dataDir, path)}, and begun anew");
            return null;
        }
    }

    /// <summary>Moves a file or folder aside; answers where it is now.</summary>
    public static string Quarantine(string dataDir, string path)
    {
        var quarantine = Path.Combine(dataDir, "quarantine");
        Directory.CreateDirectory(quarantine);
        var target = Path.Combine(quarantine, $"{Path.GetFileName(path)}.{DateTime.UtcNow:yyyyMMddTHHmmssfff}");
        Directory.Move(path, target);
        DurableFile.SyncDirectory(quarantine);
        return target;
    }

    private void Add(Session session)
    {
        _sessions[session.Id] = session;
        session.Changed += s => SessionChanged?.Invoke(s);
        session.SegmentChanged += s => SegmentChanged?.Invoke(s);
    }
}
