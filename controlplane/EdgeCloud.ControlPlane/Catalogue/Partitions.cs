using System.Globalization;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>
/// Makes partitions before they are needed: <c>segments</c> by month of the session's start, <c>telemetry_samples</c> by day, which are
/// dropped whole when they are old. Rows of other times go to the default partition; that is right and only slower.
/// </summary>
public static class Partitions
{
    /// <summary>How many months of segments have their partition in advance.</summary>
    public const int MonthsAhead = 3;
    /// <summary>How many days of telemetry have their partition in advance.</summary>
    public const int DaysAhead = 3;

    /// <summary>Makes what is missing around <paramref name="now"/>. Replicas may do so at the same time.</summary>
    public static async Task EnsureAsync(CatalogueDb db, DateTimeOffset now, CancellationToken cancellation)
    {
        var today = DateOnly.FromDateTime(now.UtcDateTime);
        var month = new DateOnly(today.Year, today.Month, 1);
        for (var i = -1; i <= MonthsAhead; i++)
        {
            var from = month.AddMonths(i);
            await EnsureAsync(db, "segments", from.ToString("yyyy_MM", CultureInfo.InvariantCulture), from, from.AddMonths(1), cancellation);
        }
        for (var i = -1; i <= DaysAhead; i++)
        {
            var from = today.AddDays(i);
            await EnsureAsync(db, "telemetry_samples", from.ToString("yyyy_MM_dd", CultureInfo.InvariantCulture), from, from.AddDays(1), cancellation);
        }
    }

    /// <summary>Drops the telemetry of days that lie wholly before <paramref name="before"/>, and older rows of the default partition.</summary>
    public static async Task DropTelemetryAsync(CatalogueDb db, DateTimeOffset before, CancellationToken cancellation)
    {
        var limit = DateOnly.FromDateTime(before.UtcDateTime);
        await db.Database.ExecuteSqlAsync($"select drop_telemetry_partitions({limit})", cancellation);
        await db.Database.ExecuteSqlAsync($"delete from telemetry_samples_default where at < {before}", cancellation);
    }

    private static Task EnsureAsync(CatalogueDb db, string table, string suffix, DateOnly from, DateOnly to, CancellationToken cancellation) =>
        db.Database.ExecuteSqlAsync($"select ensure_partition({table}, {suffix}, {from}, {to})", cancellation);
}
