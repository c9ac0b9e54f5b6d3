using EdgeCloud.Testing;

namespace EdgeCloud.Export.Tests;

public sealed class NamelessFileTests
{
    [Fact]
    public void Nothing_of_it_is_left_in_the_folder_even_while_it_is_open()
    {
        using var folder = new TemporaryFolder();
        using var file = NamelessFile.Create(folder["scratch"]);
        file.Write([1, 2, 3]);
        file.Position = 1;

        Assert.Equal(2, file.ReadByte());
        Assert.Empty(Directory.EnumerateFileSystemEntries(folder["scratch"]));
    }
}
