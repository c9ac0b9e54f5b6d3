using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeCloud.Agent.Upload;

/// <summary>
/// The times of the week in which uploads may run, in the robot's local time: <c>22:00-06:00</c>, <c>mon-fri 12:00-13:00</c>,
/// <c>sat,sun 00:00-24:00</c>. A window that ends before it begins goes over midnight and belongs to the day on which it begins. None: always.
/// </summary>
internal sealed partial class UploadWindows
{
    private const int MinutesPerDay = 24 * 60, MinutesPerWeek = 7 * MinutesPerDay;
    private static readonly string[] Days = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    private readonly List<(int From, int To)> _minutes = [];

    /// <summary>No window: uploads may run at any time.</summary>
    public static UploadWindows Always { get; } = new();

    /// <summary>The rule in words, for error messages.</summary>
    public const string Rule = "times such as '22:00-06:00' or 'mon-fri 12:00-13:00', with commas between several days, and semicolons between several windows";

    /// <summary>Reads windows, separated by semicolons; false when <paramref name="text"/> does not follow <see cref="Rule"/>.</summary>
    public static bool TryParse(string text, out UploadWindows windows)
    {
        windows = new UploadWindows();
        foreach (var part in text.Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (!windows.TryAdd(part.ToLowerInvariant()))
                return false;
        }
        return true;
    }

    /// <summary>True when uploads may run at that local time.</summary>
    public bool AreOpen(DateTimeOffset local) => _minutes.Count == 0 || _minutes.Exists(w => Contains(w, MinuteOfWeek(local)));

    /// <summary>How long it is from that local time until the next window opens or closes; at most a week.</summary>
    public TimeSpan UntilChange(DateTimeOffset local)
    {
        if (_minutes.Count == 0)
            return TimeSpan.FromDays(7);
        var now = MinuteOfWeek(local);
        var minutes = _minutes.SelectMany(w => (int[])[w.From, w.To]).Min(m => (m - now - 1 + 2 * MinutesPerWeek) % MinutesPerWeek + 1);
        return TimeSpan.FromMinutes(minutes) - TimeSpan.FromSeconds(local.Second);
    }

    private bool TryAdd(string window)
    {
        var match = Pattern().Match(window);
        if (!match.Success || !TryMinutes(match.Groups["from"].Value, out var from) || !TryMinutes(match.Groups["to"].Value, out var to) || from == to)
            return false;
        foreach (var day in DaysOf(match.Groups["days"].Value))
            _minutes.Add((day * MinutesPerDay + from, day * MinutesPerDay + (to > from ? to : to + MinutesPerDay)));
        return true;
    }

    private static IEnumerable<int> DaysOf(string words)
    {
        if (words.Length == 0)
            return Enumerable.Range(0, 7);
        return words.Split(',').SelectMany(word =>
        {
            var ends = word.Split('-').Select(d => Array.IndexOf(Days, d)).ToArray();
            return Enumerable.Range(ends[0], (ends[^1] - ends[0] + 7) % 7 + 1).Select(d => d % 7);
        }).Distinct();
    }

    private static bool TryMinutes(string text, out int minutes)
    {
        var parts = text.Split(':').Select(p => int.Parse(p, CultureInfo.InvariantCulture)).ToArray();
        minutes = parts[0] * 60 + parts[1];
        return parts[1] < 60 && minutes <= MinutesPerDay;
    }

    private static bool Contains((int From, int To) window, int minute) =>
        minute >= window.From && minute < window.To || minute + MinutesPerWeek < window.To;

    private static int MinuteOfWeek(DateTimeOffset local) => (int)local.DayOfWeek * MinutesPerDay + local.Hour * 60 + local.Minute;

    [GeneratedRegex(@"^((?<days>(sun|mon|tue|wed|thu|fri|sat)(-(sun|mon|tue|wed|thu|fri|sat))?(,(sun|mon|tue|wed|thu|fri|sat)(-(sun|mon|tue|wed|thu|fri|sat))?)*)\s+)?(?<from>[0-9]{1,2}:[0-9]{2})\s*-\s*(?<to>[0-9]{1,2}:[0-9]{2})$")]
    private static partial Regex Pattern();
}
