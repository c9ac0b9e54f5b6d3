using System.Diagnostics;

namespace EdgeCloud.Testing;

/// <summary>Lets one test process at a time do what all need once.</summary>
internal static class FileLock
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(5);

    /// <summary>Waits for the lock; disposing of the answer frees it.</summary>
    public static async Task<FileStream> TakeAsync(string path)
    {
        var clock = Stopwatch.StartNew();
        while (true)
        {
            try
            {
                return new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException) when (clock.Elapsed < Deadline)
            {
                await Task.Delay(100);
            }
        }
    }
}
