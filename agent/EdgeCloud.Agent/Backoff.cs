namespace EdgeCloud.Agent;

/// <summary>How long to wait before the next attempt: doubling from 2 s to 120 s, each between half and all of that.</summary>
internal static class Backoff
{
    public static readonly TimeSpan First = TimeSpan.FromSeconds(2), Longest = TimeSpan.FromSeconds(120);

    /// <param name="failures">Failed attempts so far, at least 1.</param>
    public static TimeSpan After(int failures)
    {
        var whole = Math.Min(First.TotalSeconds * Math.Pow(2, Math.Min(failures - 1, 16)), Longest.TotalSeconds);
        return TimeSpan.FromSeconds(whole * (0.5 + Random.Shared.NextDouble() / 2));
    }
}
