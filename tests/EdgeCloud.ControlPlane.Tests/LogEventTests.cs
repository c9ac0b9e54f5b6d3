using System.Text.RegularExpressions;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests;

/// <summary>A log event is known by its id, whichever program wrote it.</summary>
public sealed partial class LogEventTests
{
    [Fact]
    public void No_two_log_messages_of_the_product_have_one_event_id()
    {
        var events = new[] { "shared", "agent", "controlplane" }
            .SelectMany(folder => Directory.EnumerateFiles(Repository.PathTo(folder), "*.cs", SearchOption.AllDirectories))
            .Where(file => !file.Split(Path.DirectorySeparatorChar).Contains("obj"))
            .SelectMany(file => EventId().Matches(File.ReadAllText(file)).Select(m => (Id: int.Parse(m.Groups[1].ValueSpan), File: Path.GetFileName(file))))
            .ToList();

        Assert.True(events.Count > 50, $"only {events.Count} found");
        Assert.Empty(events.GroupBy(e => e.Id).Where(g => g.Count() > 1).Select(g => $"{g.Key}: {string.Join(", ", g.Select(e => e.File))}"));
    }

    [GeneratedRegex(@"EventId\s*=\s*(\d+)")]
    private static partial Regex EventId();
}
