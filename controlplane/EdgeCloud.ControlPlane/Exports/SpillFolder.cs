namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// Where parts put what does not fit into memory: a folder of its own for each part in <c>Exports:SpillFolder</c>, deleted with the part,
/// of at most <c>Exports:SpillGiB</c>. What a dead process left is deleted at the next start on that machine.
/// </summary>
internal sealed partial class SpillFolder(WorkerSettings settings, ILogger<SpillFolder> log)
{
    private const int NoSpaceLeft = 28;

    /// <summary>What a part says that found the disk full.</summary>
    public string FullMessage => $"The disk of {settings.SpillFolder} on {Environment.MachineName} is full (Exports:SpillFolder names another).";

    /// <summary>What a part says that took more than it may.</summary>
    public string LimitMessage =>
        $"The part needs more than {settings.SpillBytes >> 30} GiB in {settings.SpillFolder}; raise Exports:SpillGiB, or ask for smaller parts (part_bytes).";

    /// <summary>True for what a full disk throws, and for what was made of that on the way.</summary>
    public static bool IsFull(Exception e) => e switch
    {
        IOException io => (io.HResult & 0xffff) == NoSpaceLeft,
        { InnerException: { } inner } => IsFull(inner),
        _ => false,
    };

    /// <summary>A folder for one part.</summary>
    public Scratch Open() => new(Directory.CreateDirectory(
        Path.Combine(settings.SpillFolder, $"{Environment.ProcessId}-{Guid.NewGuid():N}")).FullName, settings.SpillBytes);

    /// <summary>Deletes what processes left that are no more.</summary>
    public void Clean()
    {
        foreach (var folder in Directory.CreateDirectory(settings.SpillFolder).EnumerateDirectories())
        {
            if (!int.TryParse(folder.Name.Split('-')[0], out var process) || Directory.Exists($"/proc/{process}") && process != Environment.ProcessId)
                continue;
            Deleting(log, folder.FullName);
            folder.Delete(recursive: true);
        }
    }

    [LoggerMessage(EventId = 5410, Level = LogLevel.Information, Message = "Deleting {Folder}, which a worker left that is no more")]
    private static partial void Deleting(ILogger log, string folder);

    /// <summary>The folder of a part that runs.</summary>
    internal sealed class Scratch(string path, long bytesMax) : IDisposable
    {
        private volatile bool _isOverLimit;

        public string Path => path;

        public bool IsOverLimit => _isOverLimit;

        /// <summary>True when it holds more than it may.</summary>
        public bool Measure()
        {
            var options = new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true };
            long bytes = 0;
            foreach (var file in new DirectoryInfo(path).EnumerateFiles("*", options))
            {
                // It may be gone since it was listed.
                file.Refresh();
                bytes += file.Exists ? file.Length : 0;
            }
            _isOverLimit = bytes > bytesMax;
            return _isOverLimit;
        }

        public void Dispose() => Directory.Delete(path, recursive: true);
    }
}
