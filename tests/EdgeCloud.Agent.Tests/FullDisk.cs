using System.Diagnostics;

namespace EdgeCloud.Agent.Tests;

/// <summary>A disk that is full for one file of the agent's memory, until disposed: what is written before it gets its name goes to <c>/dev/full</c>.</summary>
internal sealed class FullDisk : IDisposable
{
    private readonly string _path;

    public FullDisk(string path)
    {
        _path = path + DurableFile.TemporarySuffix;
        // A file of that name that is being written has its own in a moment.
        var deadline = Stopwatch.StartNew();
        while (!TryLink())
            Assert.True(deadline.Elapsed < TimeSpan.FromSeconds(60), $"{_path} stays");
    }

    public void Dispose() => File.Delete(_path);

    private bool TryLink()
    {
        try
        {
            File.CreateSymbolicLink(_path, "/dev/full");
            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
