namespace EdgeCloud.Agent.Tests;

/// <summary>A disk that is full for one file of the agent's memory, until disposed: what is written before it gets its name goes to <c>/dev/full</c>.</summary>
internal sealed class FullDisk : IDisposable
{
    private readonly string _path;

    public FullDisk(string path)
    {
        _path = path + DurableFile.TemporarySuffix;
        File.CreateSymbolicLink(_path, "/dev/full");
    }

    public void Dispose() => File.Delete(_path);
}
