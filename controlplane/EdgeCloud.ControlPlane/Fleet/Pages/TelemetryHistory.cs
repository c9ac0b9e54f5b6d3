using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Shell.Components;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Fleet.Pages;

/// <summary>A figure that is kept over time.</summary>
/// <param name="Column">Column of <c>telemetry_samples</c>.</param>
/// <param name="Name">For the legend.</param>
public sealed record TelemetryFigure(string Column, string Name);

/// <summary>Telemetry of a stretch of time in few enough points to draw: in each the mean, and the least and greatest as a band.</summary>
public sealed record TelemetryHistory
{
    /// <summary>Points a chart is made of at most.</summary>
    public const int Buckets = 360;

    // A robot tells its figures every few seconds; after this long without any, the line breaks.
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    /// <summary>Every figure that a chart shows.</summary>
    public static readonly IReadOnlyList<TelemetryFigure> Figures =
    [
        new("bytes_per_second", "recorded"), new("upload_bytes_per_second", "uploaded"),
        new("messages_per_second", "messages"),
        new("recordings_bytes", "recordings"), new("backlog_bytes", "upload backlog"), new("disk_free_bytes", "free"),
        new("system_cpu_percent", "robot, of all cores"), new("agent_cpu_percent", "agent, of one core"),
        new("network_receive_bytes_per_second", "received"), new("network_send_bytes_per_second", "sent"),
        new("agent_memory_bytes", "agent"),
        new("commit_p50_ms", "median"), new("commit_p99_ms", "99th percentile"),
    ];

    /// <summary>Begin, ns since the Unix epoch.</summary>
    public required long FromNs { get; init; }
    /// <summary>End, ns since the Unix epoch.</summary>
    public required long ToNs { get; init; }
    /// <summary>What was told, in order of time; stretches without any are absent.</summary>
    public required IReadOnlyList<TelemetryBucket> Points { get; init; }

    /// <summary>Reads a robot's figures between two moments; the database makes the points.</summary>
    public static async Task<TelemetryHistory> OfAsync(CatalogueDb db, string robot, long fromNs, long toNs, CancellationToken cancellation)
    {
        var (from, to) = (UnixTime.ToDateTimeOffset(fromNs), UnixTime.ToDateTimeOffset(toNs));
        var step = Math.Max(0.001, (to - from).TotalSeconds / Buckets);
        // The names are the ones above; everything that comes from outside is a parameter.
        var sql =
            $$"""
            select min(at) as "First", max(at) as "Last",
                   array[{{Each("avg")}}] as "Mean", array[{{Each("min")}}] as "Least", array[{{Each("max")}}] as "Most"
            from telemetry_samples where robot = {0} and at >= {1} and at <= {2}
            group by floor(extract(epoch from at - {1}) / {3}) order by 1
            """;
        var points = await db.Database.SqlQueryRaw<TelemetryBucket>(sql, robot, from, to, step).ToListAsync(cancellation);
        foreach (var point in points)
        {
            Round(point.Mean);
            Round(point.Least);
            Round(point.Most);
        }
        return new TelemetryHistory { FromNs = fromNs, ToNs = toNs, Points = points };
    }

    // Five digits draw the same line, and the page hands them from its first to its live form.
    private static void Round(Span<double?> values)
    {
        foreach (ref var value in values)
        {
            if (value is { } exact && exact != 0)
            {
                var unit = Math.Pow(10, Math.Floor(Math.Log10(Math.Abs(exact))) - 4);
                value = Math.Round(exact / unit) * unit;
            }
        }
    }

    /// <summary>The series of a figure, broken where the robot said nothing or did not know.</summary>
    /// <param name="column">See <see cref="Figures"/>.</param>
    /// <param name="unit">By how much values are divided.</param>
    public ChartSeries Series(string column, double unit)
    {
        var index = Figures.Index().Single(f => f.Item.Column == column).Index;
        var longest = TimeSpan.FromTicks(Math.Max(Silence.Ticks, (ToNs - FromNs) / 100 / Buckets * 3));
        var runs = new List<IReadOnlyList<ChartPoint>>();
        List<ChartPoint>? run = null;
        DateTimeOffset? before = null;
        foreach (var point in Points)
        {
            if (point.First - before > longest || point.Mean[index] is null)
                run = null;
            before = point.Last;
            if (point.Mean[index] is not { } mean)
                continue;
            if (run is null)
                runs.Add(run = []);
            var middle = UnixTime.ToNanoseconds(point.First + ((point.Last - point.First) / 2));
            run.Add(new ChartPoint(100.0 * (middle - FromNs) / (ToNs - FromNs), mean / unit, point.Least[index]!.Value / unit, point.Most[index]!.Value / unit));
        }
        return new ChartSeries(Figures[index].Name, runs);
    }

    /// <summary>The greatest value of some figures; 0 when nothing is known.</summary>
    public double Greatest(params ReadOnlySpan<string> columns)
    {
        var greatest = 0.0;
        foreach (var column in columns)
        {
            var index = Figures.Index().Single(f => f.Item.Column == column).Index;
            greatest = Points.Select(p => p.Most[index] ?? 0).Append(greatest).Max();
        }
        return greatest;
    }

    private static string Each(string function) => string.Join(", ", Figures.Select(f => $"{function}({f.Column})::double precision"));
}

/// <summary>Figures of a short stretch of time, in the order of <see cref="TelemetryHistory.Figures"/>.</summary>
public sealed class TelemetryBucket
{
    /// <summary>The first sample.</summary>
    public DateTimeOffset First { get; set; }
    /// <summary>The last sample.</summary>
    public DateTimeOffset Last { get; set; }
    /// <summary>Means; null where no sample knew the figure.</summary>
    public double?[] Mean { get; set; } = [];
    /// <summary>Least values.</summary>
    public double?[] Least { get; set; } = [];
    /// <summary>Greatest values.</summary>
    public double?[] Most { get; set; } = [];
}
