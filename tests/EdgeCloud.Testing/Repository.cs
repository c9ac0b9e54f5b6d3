namespace EdgeCloud.Testing;

/// <summary>Where the checkout is that the tests were built from.</summary>
public static class Repository
{
    /// <summary>The folder that holds <c>EdgeCloud.sln</c>.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>A path below <see cref="Root"/>.</summary>
    public static string PathTo(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "EdgeCloud.sln")))
                return folder.FullName;
        }
        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} holds EdgeCloud.sln; run the tests from where they were built.");
    }
}
