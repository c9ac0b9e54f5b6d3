using System.Globalization;
using System.Text.Json;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests.Durability;

/// <summary>A wall clock that is set while the agent records, for the agent alone: libfaketime stands between it and the kernel's clock.</summary>
public sealed class ClockStepTests : IDisposable
{
    private const long SecondNs = 1_000_000_000;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_wall_clock_that_is_set_starts_a_segment_and_stands_in_the_session_and_nothing_is_lost()
    {
        var library = Directory.GetDirectories("/usr/lib", "*-linux-gnu").Select(d => d + "/faketime/libfaketimeMT.so.1").FirstOrDefault(File.Exists) ?? "";
        Assert.SkipWhen(library.Length == 0, "libfaketime is missing; install Debian's package libfaketime.");
        SetClock(0);
        await using var agent = ProductProcess.StartAgent(["record", "--source", "simulated", "--data-dir", _folder["data"]], new Dictionary<string, string>
        {
            ["LD_PRELOAD"] = library,
            ["FAKETIME_TIMESTAMP_FILE"] = _folder["clock"],
            ["FAKETIME_NO_CACHE"] = "1",
            ["FAKETIME_DONT_FAKE_MONOTONIC"] = "1",
        });
        await agent.WaitForLineAsync("started by record", Deadline);
        var session = Path.GetDirectoryName(Assert.Single(Directory.GetFiles(_folder["data"], "session.json", SearchOption.AllDirectories)))!;

        await BegunAsync(session, 1);
        SetClock(3600);
        await BegunAsync(session, 2);
        SetClock(-1800);
        await BegunAsync(session, 3);
        Assert.Equal(0, await agent.TerminateAsync(Deadline));

        Assert.Equal([3600, -5400], Read(Path.Combine(session, "session.json")).GetProperty("clock_jumps").EnumerateArray()
            .Select(j => Math.Round(j.GetProperty("by_ns").GetInt64() / (double)SecondNs)));
        var segments = Directory.GetFiles(session, "0*.json").Order(StringComparer.Ordinal).Select(Read).ToList();
        Assert.Equal(3, segments.Count);
        var (wall, monotonic) = (Clock("wall_ns"), Clock("monotonic_ns"));
        // What lies between two segments' clocks tells how far the wall clock was set; it is set within the watch's interval before.
        Assert.InRange(wall[1] - wall[0] - (monotonic[1] - monotonic[0]), 3599 * SecondNs, 3601 * SecondNs);
        Assert.InRange(wall[2] - wall[1] - (monotonic[2] - monotonic[1]), -5401 * SecondNs, -5399 * SecondNs);
        Assert.Single(segments.Select(s => s.GetProperty("clock").GetProperty("boot_id").GetString()).Distinct());
        Assert.All(segments, s => Assert.All(s.GetProperty("ledger").EnumerateArray(), CheckLedger));
        var messages = Directory.GetFiles(session, "*.mcap").Order(StringComparer.Ordinal).SelectMany(Recording.Read).ToList();
        Assert.Equal(segments.Sum(s => s.GetProperty("messages").GetInt64()), messages.Count);
        Assert.All(messages.GroupBy(m => m.Topic), t => Assert.Equal(Enumerable.Range(0, t.Count()), t.Select(m => (int)m.Sequence)));

        List<long> Clock(string name) => [.. segments.Select(s => s.GetProperty("clock").GetProperty(name).GetInt64())];
    }

    private static void CheckLedger(JsonElement entry) =>
        Assert.Equal(entry.GetProperty("received").GetInt64(), entry.GetProperty("recorded").GetInt64());

    private static JsonElement Read(string path)
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(path));
        return file.RootElement.GetProperty("manifest").Clone();
    }

    private static Task BegunAsync(string session, int sequence) => Eventually.Holds(
        () => Path.Combine(session, $"{sequence:000000}.mcap.open") is var open && File.Exists(open) && FirstByte(open) != 0, Deadline,
        $"segment {sequence} has its first commit, whose clocks were read before");

    private static byte FirstByte(string path)
    {
        using var file = File.OpenHandle(path, share: FileShare.ReadWrite | FileShare.Delete);
        Span<byte> first = stackalloc byte[1];
        RandomAccess.Read(file, first, 0);
        return first[0];
    }

    /// <summary>Sets the agent's wall clock so many seconds from the machine's.</summary>
    private void SetClock(int seconds)
    {
        // In one step: the agent reads it at every look at its clock.
        File.WriteAllText(_folder["clock.new"], seconds.ToString("+0;-0", CultureInfo.InvariantCulture) + "\n");
        File.Move(_folder["clock.new"], _folder["clock"], overwrite: true);
    }
}
