using System.Globalization;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Fleet.Pages;

/// <summary>Which lines of a robot's log are shown: all of it in the address.</summary>
/// <param name="Level"><c>warning</c>, <c>error</c> or <c>critical</c>; empty for all.</param>
/// <param name="Page">From 1.</param>
public sealed record RobotLogFilter(string Level, int Page)
{
    /// <summary>Lines on a page.</summary>
    public const int PageSize = 100;

    /// <summary>The levels that there are.</summary>
    public static readonly IReadOnlyList<string> Levels = ["warning", "error", "critical"];

    /// <summary>Reads an address; what makes no sense in it is left out.</summary>
    public static RobotLogFilter Of(string? level, string? page) => new(
        level is not null && Levels.Contains(level) ? level : "",
        int.TryParse(page, NumberStyles.None, CultureInfo.InvariantCulture, out var p) && p is > 0 and < 1_000_000 ? p : 1);

    /// <summary>The address that shows this.</summary>
    public string Address(string robot) =>
        $"/robots/{robot}?tab=log{(Level.Length > 0 ? $"&level={Level}" : "")}{(Page > 1 ? $"&page={Page}" : "")}";

    /// <summary>Queries the page, newest first.</summary>
    public async Task<RobotLogPage> QueryAsync(CatalogueDb db, string robot, CancellationToken cancellation)
    {
        var lines = db.RobotLogs.AsNoTracking().Where(l => l.Robot == robot);
        if (Level.Length > 0)
            lines = lines.Where(l => l.Level == Level);
        var shown = await lines.OrderByDescending(l => l.ReceivedAt).ThenByDescending(l => l.Id)
            .Skip((Page - 1) * PageSize).Take(PageSize + 1)
            .Select(l => new LogRow(l.At, l.Level, l.Source, l.Text)).ToListAsync(cancellation);
        return new RobotLogPage([.. shown.Take(PageSize)], shown.Count > PageSize);
    }
}

/// <summary>A page of a robot's log.</summary>
/// <param name="Lines">Newest first.</param>
/// <param name="HasMore">There are older ones.</param>
public sealed record RobotLogPage(IReadOnlyList<LogRow> Lines, bool HasMore);
