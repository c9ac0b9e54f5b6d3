using System.Text.Json.Serialization;

namespace EdgeCloud.Contracts;

/// <summary>
/// Which topics a session records. A pattern is a topic name in which <c>*</c> stands for any characters, slashes included.
/// A topic is selected when an include pattern matches (none given: all match) and no exclude pattern does.
/// </summary>
public sealed record TopicSelection
{
    /// <summary>Patterns of topics to record; empty means all.</summary>
    public IReadOnlyList<string> Include { get; set; } = [];

    /// <summary>Patterns of topics not to record; wins over <see cref="Include"/>.</summary>
    public IReadOnlyList<string> Exclude { get; set; } = [];

    /// <summary>Every topic.</summary>
    [JsonIgnore]
    public static TopicSelection All { get; } = new();

    /// <summary>True when <paramref name="topic"/> is to be recorded.</summary>
    public bool Selects(string topic)
    {
        foreach (var pattern in Exclude)
        {
            if (Matches(pattern, topic))
                return false;
        }
        if (Include.Count == 0)
            return true;
        foreach (var pattern in Include)
        {
            if (Matches(pattern, topic))
                return true;
        }
        return false;
    }

    /// <summary>Whether a topic fits one pattern.</summary>
    // Greedy matching with one point to fall back to: linear in practice, quadratic at worst, no recursion.
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
    {
        int p = 0, t = 0, star = -1, mark = 0;
        while (t < text.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                mark = t;
            }
            else if (p < pattern.Length && pattern[p] == text[t])
            {
                p++;
                t++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                t = ++mark;
            }
            else
            {
                return false;
            }
        }
        while (p < pattern.Length && pattern[p] == '*')
            p++;
        return p == pattern.Length;
    }
}
