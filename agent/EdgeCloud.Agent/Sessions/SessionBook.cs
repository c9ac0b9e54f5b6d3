using System.Collections.Concurrent;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>All sessions of this robot that are on disk: <c>{data_dir}/sessions/{session id}/</c>.</summary>
internal sealed class SessionBook
{
    private readonly ConcurrentDictionary<Guid, Session> _sessions = [];
    private readonly string _root;

    private SessionBook(string root) => _root = root;

    /// <summary>Every session, oldest first.</summary>
    public IReadOnlyList<Session> All => [.. _sessions.Values.OrderBy(s => s.File.Manifest.StartedNs).ThenBy(s => s.Id)];

    /// <summary>Told after a session was made or changed.</summary>
    public event Action<Session>? SessionChanged;

    /// <summary>Told after a segment was added or changed custody.</summary>
    public event Action<Segment>? SegmentChanged;

    /// <summary>
    /// Reads every session of a data folder. A folder whose files are damaged goes to <c>quarantine/</c> whole, and <paramref name="onDamage"/>
    /// is told which and why.
    /// </summary>
    public static SessionBook Open(string dataDir, Action<string> onDamage)
    {
        var book = new SessionBook(Path.Combine(dataDir, "sessions"));
        Directory.CreateDirectory(book._root);
        foreach (var folder in Directory.GetDirectories(book._root))
        {
            try
            {
                book.Add(Session.Load(folder));
            }
            catch (StateFileException e)
            {
                onDamage($"{e.Message}; moved to {Quarantine(dataDir, folder)}");
            }
        }
        return book;
    }

    public Session? Find(Guid id) => _sessions.GetValueOrDefault(id);

    /// <summary>Makes a new session, durable when this returns.</summary>
    public Session Create(SessionManifest manifest)
    {
        var session = Session.Create(Path.Combine(_root, manifest.Session.ToString("D")), manifest);
        Add(session);
        SessionChanged?.Invoke(session);
        return session;
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
