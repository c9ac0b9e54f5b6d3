using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests.Durability;

/// <summary>The disk refuses the real process: it is full, or writes and syncs fail with EIO.</summary>
public sealed class BadDiskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _input;
    private readonly IReadOnlyList<RecordedMessage> _sent;

    public BadDiskTests()
    {
        _input = _folder["input.mcap"];
        DurableInput.Write(_input, messages: 6000, seed: 3);
        _sent = Recording.Read(_input);
    }

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_disk_that_somebody_else_filled_is_survived_and_recording_goes_on_when_there_is_space()
    {
        using var disk = SmallDisk.Mount(_folder["disk"], "32m");
        var foreign = Path.Combine(disk.Path, "foreign");
        disk.FillBut(8 << 20, foreign);
        var run = new DurableRun(_input, Path.Combine(disk.Path, "data"), _folder["durable.jsonl"]);
        await using var agent = run.Start(null, "--rate", "0.5"); // slow enough that the source does not end meanwhile
        await agent.WaitForLineAsync("recording goes on when the disk takes writes again", DurableRun.Deadline);
        Assert.False(agent.HasExited, agent.Output);
        File.Delete(foreign);
        Assert.True(await agent.WaitForExitAsync(DurableRun.Deadline) == 0, agent.Output);
        CheckAll(run);
    }

    [Theory]
    [InlineData("fdatasync:error=EIO:when=4+9")]
    [InlineData("pwritev:error=EIO:when=5+7")]
    [InlineData("pwritev:error=ENOSPC:when=3+8")]
    public async Task Injected_errors_end_segments_at_their_last_good_commit_and_cost_no_message(string injection)
    {
        SystemCallLog.RequireStrace();
        var run = new DurableRun(_input, _folder["data"], _folder["durable.jsonl"]);
        await using var agent = run.Start(["strace", "-f", "-qq", "-e", "trace=fdatasync,pwritev", "-e", $"inject={injection}", "-o", _folder["strace"]]);
        Assert.True(await agent.WaitForExitAsync(DurableRun.Deadline) == 0, agent.Output);
        Assert.Contains("INJECTED", File.ReadAllText(_folder["strace"]), StringComparison.Ordinal);
        await run.RecoverAsync(); // seals what the failing disk did not let be sealed
        CheckAll(run);
    }

    private void CheckAll(DurableRun run)
    {
        var last = run.Lines()[^1];
        Assert.Equal(_sent.Count, last.Messages);
        run.Check(last.Session, last.Messages, _sent);
    }
}
