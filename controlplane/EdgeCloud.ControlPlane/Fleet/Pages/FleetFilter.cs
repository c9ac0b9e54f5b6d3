namespace EdgeCloud.ControlPlane.Fleet.Pages;

/// <summary>Which robots the fleet page shows, in what order and how: all of it in the address.</summary>
public sealed record FleetFilter
{
    /// <summary><c>recording</c>, <c>attention</c>, <c>offline</c>, <c>lost</c> or, for all, empty.</summary>
    public string State { get; init; } = "";
    /// <summary>Part of a robot's name.</summary>
    public string Text { get; init; } = "";
    /// <summary>Only robots with this tag; empty for all.</summary>
    public string Tag { get; init; } = "";
    /// <summary>A column of <see cref="Orders"/>, with a minus before it for the other way round; empty for the urgent first.</summary>
    public string Sort { get; init; } = "";
    /// <summary>True for the map, false for the table.</summary>
    public bool Map { get; init; }

    /// <summary>What robots can be sorted by. Unknown figures come last either way.</summary>
    public static readonly IReadOnlyDictionary<string, Func<FleetRow, IComparable?>> Orders = new Dictionary<string, Func<FleetRow, IComparable?>>
    {
        ["robot"] = r => r.Robot,
        ["state"] = r => r.State,
        ["seen"] = r => r.LastSeenAt,
        ["rate"] = r => r.BytesPerSecond,
        ["disk"] = r => r.DiskTotalBytes > 0 ? (double?)r.DiskFreeBytes / r.DiskTotalBytes : null,
        ["backlog"] = r => r.BacklogBytes,
        ["lost"] = r => r.Lost24h,
    };

    /// <summary>True when robots are left out.</summary>
    public bool IsNarrow => State.Length + Text.Length + Tag.Length > 0;

    private bool IsDescending => Sort.StartsWith('-');

    private string Column => Sort.TrimStart('-');

    /// <summary>The address that shows this.</summary>
    public string Address() => Query() is { Length: > 0 } query ? $"/fleet?{query}" : "/fleet";

    /// <summary>The query of the address, which is what a saved view keeps.</summary>
    public string Query()
    {
        var query = new List<string>();
        Add("q", Text);
        Add("state", State);
        Add("tag", Tag);
        Add("sort", Sort);
        Add("view", Map ? "map" : "");
        return string.Join('&', query);

        void Add(string name, string value)
        {
            if (value.Length > 0)
                query.Add($"{name}={Uri.EscapeDataString(value)}");
        }
    }

    /// <summary>The same, sorted by a column: the first time upwards, then the other way round, then by urgency again.</summary>
    public FleetFilter SortedBy(string column) =>
        this with { Sort = Column != column ? column : IsDescending ? "" : "-" + column };

    /// <summary>For <c>aria-sort</c>; null when another column is sorted by.</summary>
    public string? Direction(string column) => Column != column ? null : IsDescending ? "descending" : "ascending";

    /// <summary>Whether a robot is shown.</summary>
    public bool Passes(FleetRow row) =>
        row.Robot.Contains(Text, StringComparison.OrdinalIgnoreCase) && (Tag.Length == 0 || row.Tags.Contains(Tag)) && State switch
        {
            "recording" => row.IsRecording,
            "attention" => row.NeedsAttention,
            "offline" => !row.Online,
            "lost" => row.Lost24h > 0,
            _ => true,
        };

    /// <summary>Robots in order; the name settles ties.</summary>
    public IEnumerable<FleetRow> InOrder(IEnumerable<FleetRow> rows)
    {
        if (!Orders.TryGetValue(Column, out var by))
            return rows.OrderBy(r => r.Urgency).ThenBy(r => r.Robot, StringComparer.Ordinal);
        var known = rows.OrderBy(r => by(r) is null);
        return (IsDescending ? known.ThenByDescending(by) : known.ThenBy(by)).ThenBy(r => r.Robot, StringComparer.Ordinal);
    }
}
