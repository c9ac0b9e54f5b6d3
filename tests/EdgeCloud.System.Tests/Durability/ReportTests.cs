using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests.Durability;

/// <summary>
/// A killed process leaves the page cache behind, so a missing sync does not show after kill -9. It shows here: the kernel's own account of the
/// calls says what was synced before each line.
/// </summary>
public sealed class ReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("50", "zstd"), InlineData("0", "none")]
    public async Task A_line_is_written_only_after_a_sync_of_every_write_before_it(string boundMs, string compression)
    {
        SystemCallLog.RequireStrace();
        var input = _folder["input.mcap"];
        DurableInput.Write(input, messages: 3000, seed: 5);
        var run = new DurableRun(input, _folder["data"], _folder["durable.jsonl"]);
        await using (var agent = run.Start(
            ["strace", "-f", "-qq", "-s", "0", "-e", "trace=open,openat,close,write,writev,pwrite64,pwritev,pwritev2,fdatasync,fsync,rename,renameat,renameat2",
                "-o", _folder["strace"]],
            "--bound-ms", boundMs, "--compression", compression, "--rate", "1.5"))
        {
            Assert.True(await agent.WaitForExitAsync(DurableRun.Deadline) == 0, agent.Output);
        }
        var log = SystemCallLog.Read(_folder["strace"], run.Report);
        Assert.True(log.Early.Count == 0, string.Join("\n", log.Early));
        var lines = run.Lines();
        Assert.Equal(lines.Count, log.Lines);
        Assert.True(lines.Count >= 5, $"{lines.Count} lines");
        Assert.True(log.Syncs >= lines.Count, $"{log.Syncs} syncs of segments for {lines.Count} lines");
        Assert.Equal(lines.Select(l => l.Messages).Order(), lines.Select(l => l.Messages));
        Assert.Equal(3000, lines[^1].Messages);
        run.Check(lines[^1].Session, 3000, Recording.Read(input));
    }
}
