using System.Diagnostics;
using System.Globalization;

namespace EdgeCloud.Agent.Control;

/// <summary>Counters of the machine and of this process, as the kernel gives them at one moment.</summary>
/// <param name="Timestamp">Ticks of the monotonic clock.</param>
/// <param name="CpuBusy">Ticks that all cores together were busy.</param>
/// <param name="CpuTotal">Ticks that all cores together had.</param>
/// <param name="AgentCpu">CPU time of this process.</param>
/// <param name="Received">Bytes received by all interfaces but loopback.</param>
/// <param name="Sent">Bytes sent by them.</param>
internal readonly record struct Vitals(long Timestamp, long CpuBusy, long CpuTotal, TimeSpan AgentCpu, long Received, long Sent)
{
    /// <summary>Reads them from /proc.</summary>
    public static Vitals Read()
    {
        var (busy, total) = ReadCpu();
        var (received, sent) = ReadNetwork();
        return new Vitals(Stopwatch.GetTimestamp(), busy, total, Environment.CpuUsage.TotalTime, received, sent);
    }

    private static (long Busy, long Total) ReadCpu()
    {
        // cpu  user nice system idle iowait irq softirq steal ...
        var fields = File.ReadLines("/proc/stat").First().Split(' ', StringSplitOptions.RemoveEmptyEntries)
            .Skip(1).Take(8).Select(f => long.Parse(f, CultureInfo.InvariantCulture)).ToArray();
        var total = fields.Sum();
        return (total - fields[3] - fields[4], total);
    }

    private static (long Received, long Sent) ReadNetwork()
    {
        long received = 0, sent = 0;
        foreach (var line in File.ReadLines("/proc/net/dev").Skip(2))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            if (line.AsSpan(0, colon).Trim() is "lo")
                continue;
            var fields = line[(colon + 1)..].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            received += long.Parse(fields[0], CultureInfo.InvariantCulture);
            sent += long.Parse(fields[8], CultureInfo.InvariantCulture);
        }
        return (received, sent);
    }
}
