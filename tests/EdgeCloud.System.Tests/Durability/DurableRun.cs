using System.Text.Json;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests.Durability;

/// <summary>One line of <c>--report-durable</c>.</summary>
internal sealed record DurableLine(Guid Session, long Messages, long TimeNs);

/// <summary>The agent's <c>record</c> over an input file, and what can be seen of it from outside.</summary>
internal sealed class DurableRun(string input, string dataDir, string report)
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    public string DataDir => dataDir;

    public string Report => report;

    /// <summary>Starts recording; small segments, so that there are many.</summary>
    public ProductProcess Start(IReadOnlyList<string>? under = null, params string[] more) => ProductProcess.StartAgent(
        [
            "record", "--source", "replay", "--input", input, "--once", "--data-dir", dataDir, "--report-durable", report,
            "--segment-bytes", "2097152", "--minimum-free-bytes", "0", .. more,
        ],
        under: under);

    /// <summary>Brings what is there to sealed segments; answers what the command printed.</summary>
    public async Task<string> RecoverAsync()
    {
        await using var recover = ProductProcess.StartAgent(["recover", "--data-dir", dataDir]);
        Assert.True(await recover.WaitForExitAsync(Deadline) == 0, recover.Output);
        Assert.Empty(Directory.GetFiles(dataDir, "*.open", SearchOption.AllDirectories));
        return recover.Output;
    }

    /// <summary>Whole lines of the report; the last one may have been cut by the end of the process.</summary>
    public List<DurableLine> Lines()
    {
        if (!File.Exists(report))
            return [];
        using var reader = new StreamReader(new FileStream(report, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete));
        var text = reader.ReadToEnd();
        return [.. text[..(text.LastIndexOf('\n') + 1)].Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Parse)];
    }

    /// <summary>
    /// What sealed segments hold of a session is, in each topic, the beginning of the input, unaltered and once; and altogether at least as much
    /// as was reported durable.
    /// </summary>
    public void Check(Guid session, long durable, IReadOnlyList<RecordedMessage> sent)
    {
        var found = Directory.GetFiles(Path.Combine(dataDir, "sessions", session.ToString()), "*.mcap").SelectMany(Recording.Read).ToList();
        Assert.Equal(found.Count, found.Distinct().Count());
        Assert.Empty(found.Except(sent));
        Assert.True(found.Count >= durable, $"{durable} messages of session {session} were durable, {found.Count} are there.");
        // The log takes messages in the order of the input, and makes them durable in that order.
        Assert.Empty(sent.Take((int)durable).Except(found));
    }

    private static DurableLine Parse(string line)
    {
        var json = JsonDocument.Parse(line).RootElement;
        return new DurableLine(json.GetProperty("session").GetGuid(), json.GetProperty("durable_messages").GetInt64(), json.GetProperty("time_ns").GetInt64());
    }
}
