using System.Globalization;
using EdgeCloud.ControlPlane.Shell;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>
/// What somebody looks at on a session's page. All of it is in the address
/// (<c>/sessions/{id}?from&amp;to&amp;topics&amp;t&amp;panel</c>), so that it can be sent to somebody, reloaded and gone back from.
/// </summary>
public sealed record SessionAddress
{
    /// <summary>The panel that is shown when the address names none.</summary>
    public const string FirstPanel = "segments";

    /// <summary>Session.</summary>
    public required Guid Session { get; init; }
    /// <summary>Begin of the chosen range, ns since the Unix epoch; null for the session's.</summary>
    public long? FromNs { get; init; }
    /// <summary>End of the chosen range, ns since the Unix epoch; null for the session's.</summary>
    public long? ToNs { get; init; }
    /// <summary>Chosen topics, in order; empty means all.</summary>
    public IReadOnlyList<string> Topics { get; init; } = [];
    /// <summary>The cursor, ns since the Unix epoch; null when nobody set it.</summary>
    public long? CursorNs { get; init; }
    /// <summary>Which panel is open under the timeline.</summary>
    public string Panel { get; init; } = FirstPanel;
    /// <summary>What is plotted, as <c>{topic}:{field}</c>, in order.</summary>
    public IReadOnlyList<string> Plot { get; init; } = [];
    /// <summary>Least level of the log's lines; null for all.</summary>
    public string? Level { get; init; }
    /// <summary>Text that the log's lines contain; null for all.</summary>
    public string? Find { get; init; }
    /// <summary>Page of the open panel's table, from 1.</summary>
    public int Page { get; init; } = 1;

    /// <summary>Reads the parts of an address; what makes no sense in it is left out.</summary>
    public static SessionAddress Of(Guid session, string? from, string? to, string? topics, string? cursor, string? panel, string? page, DateTimeOffset now)
    {
        var (fromNs, toNs) = (AddressTime.Parse(from, now), AddressTime.Parse(to, now));
        var isRange = fromNs is null || toNs is null || fromNs < toNs;
        return new SessionAddress
        {
            Session = session,
            FromNs = isRange ? fromNs : null,
            ToNs = isRange ? toNs : null,
            Topics = topics?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [],
            CursorNs = long.TryParse(cursor, NumberStyles.None, CultureInfo.InvariantCulture, out var t) ? t : null,
            Panel = string.IsNullOrEmpty(panel) ? FirstPanel : panel,
            Page = int.TryParse(page, NumberStyles.None, CultureInfo.InvariantCulture, out var p) && p is > 0 and < 1_000_000 ? p : 1,
        };
    }

    /// <summary>The address that shows this.</summary>
    public string Address()
    {
        var query = new List<string>();
        if (FromNs is { } from)
            query.Add($"from={AddressTime.Write(from)}");
        if (ToNs is { } to)
            query.Add($"to={AddressTime.Write(to)}");
        if (Topics.Count > 0)
            query.Add($"topics={string.Join(',', Topics.Select(Uri.EscapeDataString))}");
        if (CursorNs is { } cursor)
            query.Add(string.Create(CultureInfo.InvariantCulture, $"t={cursor}"));
        if (Panel != FirstPanel)
            query.Add($"panel={Uri.EscapeDataString(Panel)}");
        if (Plot.Count > 0)
            query.Add($"plot={string.Join(',', Plot.Select(Uri.EscapeDataString))}");
        if (!string.IsNullOrEmpty(Level))
            query.Add($"level={Uri.EscapeDataString(Level)}");
        if (!string.IsNullOrEmpty(Find))
            query.Add($"find={Uri.EscapeDataString(Find)}");
        if (Page > 1)
            query.Add(string.Create(CultureInfo.InvariantCulture, $"page={Page}"));
        return query.Count == 0 ? $"/sessions/{Session}" : $"/sessions/{Session}?{string.Join('&', query)}";
    }
}
