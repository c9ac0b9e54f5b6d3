using Xunit;

namespace EdgeCloud.Testing;

/// <summary>
/// Recordings and message definitions that other tools made; they are not in the repository. They are looked for in the folder that
/// <c>EDGECLOUD_TEST_DATA</c> names, else in <c>../shared/data</c> beside the checkout.
/// </summary>
public static class TestData
{
    /// <summary>The folder, there or not.</summary>
    public static string Folder { get; } = Environment.GetEnvironmentVariable("EDGECLOUD_TEST_DATA") is { Length: > 0 } named
        ? System.IO.Path.GetFullPath(named)
        : System.IO.Path.GetFullPath(System.IO.Path.Combine(Repository.Root, "..", "shared", "data"));

    /// <summary>The full path of a file or folder, such as <c>rosbag2/talker.mcap</c>; skips the test, saying why, when it is not there.</summary>
    public static string Path(string relative)
    {
        var path = System.IO.Path.Combine(Folder, relative);
        if (!File.Exists(path) && !Directory.Exists(path))
            Assert.Skip($"Test data '{relative}' is not in {Folder}; set EDGECLOUD_TEST_DATA to the folder that holds it.");
        return path;
    }
}
