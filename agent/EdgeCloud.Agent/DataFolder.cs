using EdgeCloud.Agent.Control;

namespace EdgeCloud.Agent;

/// <summary>The agent's folder, held by one process at a time.</summary>
internal sealed class DataFolder : IDisposable
{
    private readonly FileStream _lock;

    private DataFolder(FileStream held) => _lock = held;

    /// <summary>Makes the folder if need be, takes it, and removes what a crash left half written.</summary>
    /// <exception cref="StateFileException">It cannot be used, or another process has it.</exception>
    public static DataFolder Take(string path)
    {
        FileStream held;
        try
        {
            Directory.CreateDirectory(path);
            held = new FileStream(Path.Combine(path, "agent.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new StateFileException($"The data folder {path} cannot be used (is another agent running on it?): {e.Message}", e);
        }
        // Marks are written by other processes, which may be at it right now.
        foreach (var leftover in Directory.EnumerateFiles(path, "*" + DurableFile.TemporarySuffix, SearchOption.AllDirectories)
            .Where(file => Path.GetDirectoryName(file) != MarkBox.FolderOf(path)))
            File.Delete(leftover);
        return new DataFolder(held);
    }

    public void Dispose() => _lock.Dispose();
}
