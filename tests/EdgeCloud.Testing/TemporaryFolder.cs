namespace EdgeCloud.Testing;

/// <summary>A folder of one test's own, removed with everything in it at the end.</summary>
public sealed class TemporaryFolder : IDisposable
{
    /// <summary>Makes the folder below the system's folder for temporary files.</summary>
    public TemporaryFolder() => Path = Directory.CreateTempSubdirectory("edgecloud-test-").FullName;

    /// <summary>Full path.</summary>
    public string Path { get; }

    /// <summary>The full path of something in it.</summary>
    public string this[string relative] => System.IO.Path.Combine(Path, relative);

    /// <inheritdoc/>
    public void Dispose() => Directory.Delete(Path, recursive: true);
}
