using EdgeCloud.Agent.Sessions;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Control;

/// <summary>
/// Marks that people and programs on the robot leave (<c>edgecloud-agent mark</c>), whether an agent runs or not: each an event in a file of
/// <c>{data_dir}/marks/</c>. They are told to the control plane again and again until it answers; then the file goes.
/// </summary>
/// <param name="dataDir">The data folder.</param>
/// <param name="robot">Whose marks are taken.</param>
/// <param name="alarms">Where a file is named that is no mark; it goes to quarantine.</param>
/// <param name="clock">The wall clock.</param>
internal sealed class MarkBox(string dataDir, string robot, Alarms alarms, TimeProvider clock)
{
    /// <summary>So many may wait; more are refused to whoever leaves them.</summary>
    public const int MostWaiting = 10_000;

    private const int MostBytes = 64 << 10;
    private const string FilesAlarm = "marks";

    /// <summary>Whoever was leaving a mark this long ago is not at it any more.</summary>
    private static readonly TimeSpan Unfinished = TimeSpan.FromHours(1);

    private readonly string _folder = FolderOf(dataDir);
    private readonly Lock _gate = new();
    private readonly Dictionary<string, (DateTimeOffset Due, int Attempts)> _told = new(StringComparer.Ordinal); // by path

    /// <summary>Where the marks of a data folder lie.</summary>
    public static string FolderOf(string dataDir) => Path.Combine(dataDir, "marks");

    /// <summary>Leaves a mark, durable when this returns.</summary>
    /// <exception cref="ContractException">It is no event.</exception>
    /// <exception cref="IOException">The disk refuses it, or too many wait.</exception>
    public static void Leave(string dataDir, EventMessage mark)
    {
        mark.Check();
        var folder = FolderOf(dataDir);
        if (!Directory.Exists(folder))
        {
            Directory.CreateDirectory(folder);
            DurableFile.SyncDirectory(dataDir);
        }
        if (Directory.EnumerateFiles(folder, "*.json").Take(MostWaiting).Count() == MostWaiting)
            throw new IOException($"{MostWaiting} marks wait in {folder} for the control plane; no more are taken before it was reached");
        DurableFile.Write(Path.Combine(folder, $"{mark.Id:D}.json"), ContractJson.Write(mark));
    }

    /// <summary>Everything is due now: the connection is new, and nobody knows what the last one lost.</summary>
    public void RestartAll()
    {
        lock (_gate)
            _told.Clear();
    }

    /// <summary>Payloads of at most <paramref name="limit"/> marks that are due, older ones first.</summary>
    public IReadOnlyList<byte[]> TakeDue(int limit)
    {
        List<byte[]> due = [];
        if (!Directory.Exists(_folder))
            return due;
        try
        {
            foreach (var left in Directory.EnumerateFiles(_folder, "*" + DurableFile.TemporarySuffix))
            {
                if (clock.GetUtcNow() - File.GetLastWriteTimeUtc(left) > Unfinished)
                    File.Delete(left);
            }
            foreach (var path in Directory.EnumerateFiles(_folder, "*.json").Order(StringComparer.Ordinal))
            {
                if (due.Count == limit)
                    break;
                if (IsDue(path) && Read(path) is { } mark)
                    due.Add(mark);
            }
            alarms.Clear(FilesAlarm);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            alarms.Raise(FilesAlarm, $"marks cannot be read: {e.Message}");
        }
        return due;
    }

    /// <summary>The control plane keeps a mark.</summary>
    /// <exception cref="IOException">Its file does not go; it will be told, and answered, again.</exception>
    public void Answer(EventAck answer)
    {
        var path = Path.Combine(_folder, $"{answer.Id:D}.json");
        if (File.Exists(path))
            File.Delete(path);
        lock (_gate)
            _told.Remove(path);
    }

    private bool IsDue(string path)
    {
        var now = clock.GetUtcNow();
        lock (_gate)
        {
            var (due, attempts) = _told.GetValueOrDefault(path);
            if (due > now)
                return false;
            _told[path] = (now + Backoff.After(attempts + 1), attempts + 1);
            return true;
        }
    }

    /// <summary>A mark's payload; null when the file is none, or was answered this moment.</summary>
    private byte[]? Read(string path)
    {
        try
        {
            var length = new FileInfo(path).Length;
            if (length > MostBytes)
                throw new ContractException($"it has {length} bytes; at most {MostBytes} are read");
            var mark = ContractJson.Read<EventMessage>(File.ReadAllBytes(path));
            mark.Check();
            if (mark.Robot != robot)
                throw new ContractException($"it is a mark of robot '{mark.Robot}'");
            if (Path.GetFileNameWithoutExtension(path) != mark.Id.ToString("D"))
                throw new ContractException($"its id {mark.Id} is not the file's name");
            return ContractJson.Write(mark);
        }
        catch (FileNotFoundException)
        {
            return null;
        }
        catch (ContractException e)
        {
            lock (_gate)
                _told.Remove(path);
            alarms.Raise($"mark.{path}", $"{path} is no mark: {e.Message}; moved to {SessionBook.Quarantine(dataDir, path)}");
            return null;
        }
    }
}
