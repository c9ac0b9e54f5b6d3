namespace EdgeCloud.Export;

/// <summary>A file without a name: it is gone when it is closed, also when the process is killed.</summary>
public static class NamelessFile
{
    /// <summary>Makes one in a folder, which is made if need be.</summary>
    public static FileStream Create(string folder, int bufferSize = 0, FileOptions options = FileOptions.None)
    {
        Directory.CreateDirectory(folder);
        var path = Path.Combine(folder, $"edgecloud-{Guid.NewGuid():N}.scratch");
        var file = new FileStream(path, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, bufferSize, options);
        File.Delete(path); // the open file lives on
        return file;
    }
}
