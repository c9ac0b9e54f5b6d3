namespace EdgeCloud.ControlPlane.Shell;

/// <summary>Keeps rows where the reader saw them: live news changes cells, never the place of a row under the pointer.</summary>
public static class KeptOrder
{
    /// <summary>
    /// The rows of <paramref name="news"/> in the order of <paramref name="shown"/>, rows that are gone left out and, when
    /// <paramref name="append"/>, new ones at the end.
    /// </summary>
    public static IReadOnlyList<T> Of<T, TKey>(IReadOnlyList<T> shown, IReadOnlyList<T> news, Func<T, TKey> key, bool append)
        where TKey : notnull
    {
        var byKey = news.ToDictionary(key);
        var kept = new List<T>(news.Count);
        foreach (var row in shown)
        {
            if (byKey.Remove(key(row), out var fresh))
                kept.Add(fresh);
        }
        if (append)
            kept.AddRange(news.Where(row => byKey.ContainsKey(key(row))));
        return kept;
    }
}
