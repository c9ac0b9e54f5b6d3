using System.Diagnostics;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Testing;
using EdgeCloud.Testing.Ros;

namespace EdgeCloud.Agent.Tests.Sources.Dds;

/// <summary>The source and a publisher as two hosts: each in a network of its own, joined by a cable that is pulled for a while.</summary>
public sealed class NetworkCutTests : IDisposable
{
    private readonly string _space = $"ecdds{Environment.ProcessId}";
    private readonly string _near = $"ecn{Environment.ProcessId % 100000}";
    private readonly string _far = $"ecf{Environment.ProcessId % 100000}";
    private readonly int _net = Environment.ProcessId % 250;
    private bool _isMade;

    public void Dispose()
    {
        if (_isMade)
            Ip("netns", "del", _space);
    }

    [Theory]
    [InlineData(DdsVendor.Cyclone)]
    [InlineData(DdsVendor.Fast)]
    public async Task A_cut_costs_reliable_topics_nothing_and_loses_best_effort_messages_on_record(DdsVendor vendor)
    {
        MakeNetwork();
        await using var bench = DdsBench.Start(dds: new DdsSettings { Interfaces = [$"10.97.{_net}.1"] });
        long Written() => new FileInfo(bench.Dump("loose")).Length; // an imu message has more than 300 bytes
        async Task<RosPublisher> There(string topic, int reliable) => await RosPublisher.StartInAsync(
            vendor, ["ip", "netns", "exec", _space],
            [
                $"domain={bench.Domain}", "type=imu", $"topic=rt/{topic}", $"reliable={reliable}", "count=800", "rate=100", "depth=2000",
                $"dump={bench.Dump(topic)}",
            ]);
        await using var sure = await There("sure", 1);
        await using var loose = await There("loose", 0);
        await bench.Until("/sure", t => t.Payloads.Count > 50, "messages before the cut");
        await bench.Until("/loose", t => t.Payloads.Count > 50, "messages before the cut");
        Assert.Null(Ip("link", "set", _near, "down"));
        var written = Written();
        // Longer than the kernel keeps packets for a neighbour that does not answer, three seconds.
        await Eventually.Holds(() => Written() > written + 350 * 300, DdsBench.Deadline, "350 messages are published during the cut");
        Assert.Null(Ip("link", "set", _near, "up"));
        await sure.DoneAsync();
        await loose.DoneAsync();
        await bench.Until("/sure", t => t.Payloads.Count + t.Lost >= 800, "all reliable messages");
        Assert.Equal((800, 0), bench.On("/sure", t => (t.Payloads.Count, t.Lost)));
        await bench.Until("/loose", t => t.Times[^1].Sequence == 800, "the last best-effort message");
        var (received, lost, first) = bench.On("/loose", t => (t.Payloads.Count, t.Lost, t.Times[0].Sequence));
        Assert.Equal(800 - first + 1, received + lost);
        Assert.InRange(lost, 20, 700);
    }

    private void MakeNetwork()
    {
        if (!File.Exists("/usr/sbin/ip") && !File.Exists("/sbin/ip"))
            Assert.Skip("The command ip is not installed (iproute2).");
        if (Ip("netns", "add", _space) is { } refused)
            Assert.Skip($"Network namespaces cannot be made here: {refused}");
        _isMade = true;
        string[][] steps =
        [
            ["link", "add", _near, "type", "veth", "peer", "name", _far, "netns", _space],
            ["addr", "add", $"10.97.{_net}.1/24", "dev", _near],
            ["link", "set", _near, "up"],
            ["netns", "exec", _space, "ip", "addr", "add", $"10.97.{_net}.2/24", "dev", _far],
            ["netns", "exec", _space, "ip", "link", "set", _far, "up"],
            ["netns", "exec", _space, "ip", "link", "set", "lo", "up"],
        ];
        foreach (var step in steps)
        {
            if (Ip(step) is { } error)
                Assert.Skip($"A network of two hosts cannot be made here: {error}");
        }
    }

    /// <summary>Null when the command did its work, else what it said.</summary>
    private static string? Ip(params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo("ip", arguments) { RedirectStandardError = true })!;
        var error = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? null : error.Trim();
    }
}
