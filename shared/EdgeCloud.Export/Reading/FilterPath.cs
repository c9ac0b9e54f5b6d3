using System.Globalization;

namespace EdgeCloud.Export.Reading;

/// <summary>
/// A field's path: names joined by dots, after each an index in brackets or nothing: <c>pose.x</c>, <c>ranges[3]</c>, <c>status[].level</c>.
/// A list without an index stands for all of its items.
/// </summary>
internal static class FilterPath
{
    /// <summary>Stands for all items of a list, where brackets say so.</summary>
    public const int All = -1;

    /// <summary>A name, and what stands in brackets after it; null when there are none.</summary>
    internal readonly record struct Step(string Name, int? Index);

    /// <exception cref="ArgumentException">It is no path.</exception>
    public static IReadOnlyList<Step> Parse(string path) => [.. path.Split('.').Select(segment => StepOf(segment, path))];

    private static Step StepOf(string segment, string path)
    {
        var bracket = segment.IndexOf('[');
        var name = bracket < 0 ? segment : segment[..bracket];
        if (name.Length == 0)
            throw new ArgumentException($"the path '{path}' has no field name in '{segment}'");
        if (bracket < 0)
            return new(name, null);
        var inside = segment.EndsWith(']') ? segment[(bracket + 1)..^1] : "?";
        if (inside is "" or "*")
            return new(name, All);
        return int.TryParse(inside, NumberStyles.None, CultureInfo.InvariantCulture, out var index)
            ? new(name, index)
            : throw new ArgumentException($"the path '{path}' has '{segment}', whose brackets hold no index");
    }
}
