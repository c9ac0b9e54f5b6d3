using System.Globalization;

namespace EdgeCloud.Benchmarks;

/// <summary>What a run is to reach: collected while it measures, printed in the end. One that is missed fails the run.</summary>
internal static class Targets
{
    private static readonly List<(bool IsMet, string Text)> All = [];

    public static void AtLeast(string what, double actual, double target, string unit) => Add(actual >= target, what, actual, $"at least {Number(target)}", unit);

    public static void AtMost(string what, double actual, double target, string unit) => Add(actual <= target, what, actual, $"at most {Number(target)}", unit);

    /// <summary>Prints them; the exit code.</summary>
    public static int Report()
    {
        if (All.Count > 0)
            Console.WriteLine("targets");
        foreach (var (isMet, text) in All)
            Console.WriteLine($"  {(isMet ? "ok  " : "MISS")} {text}");
        return All.TrueForAll(t => t.IsMet) ? 0 : 1;
    }

    private static void Add(bool isMet, string what, double actual, string bound, string unit) =>
        All.Add((isMet, $"{what,-60} {Number(actual),8} {unit} ({bound})"));

    private static string Number(double value) => value.ToString("0.00", CultureInfo.InvariantCulture);
}
