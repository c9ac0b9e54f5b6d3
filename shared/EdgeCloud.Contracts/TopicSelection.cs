using System.Text.Json.Serialization;

namespace EdgeCloud.Contracts;

/// <summary>
/// Which topics a session records. A pattern is a topic name in which <c>*</c> stands for any characters, slashes included.
/// A topic is selected when an include pattern matches (none given: all match) and no exclude pattern does. Types (such as
/// <c>sensor_msgs/msg/Imu</c>) and the full names of publishing nodes are selected by patterns in the same way; all three must agree.
/// </summary>
public sealed record TopicSelection
{
    /// <summary>Patterns of topics to record; empty means all.</summary>
    public IReadOnlyList<string> Include { get; set; } = [];

    /// <summary>Patterns of topics not to record; wins over <see cref="Include"/>.</summary>
    public IReadOnlyList<string> Exclude { get; set; } = [];

    /// <summary>Patterns of types to record; empty means all.</summary>
    public IReadOnlyList<string> Types { get; set; } = [];

    /// <summary>Patterns of types not to record.</summary>
    public IReadOnlyList<string> ExcludeTypes { get; set; } = [];

    /// <summary>Patterns of nodes whose topics to record; empty means all. A topic counts when one of its publishers does.</summary>
    public IReadOnlyList<string> Nodes { get; set; } = [];

    /// <summary>Patterns of nodes whose topics not to record.</summary>
    public IReadOnlyList<string> ExcludeNodes { get; set; } = [];

    /// <summary>Every topic.</summary>
    [JsonIgnore]
    public static TopicSelection All { get; } = new();

    /// <summary>True when <paramref name="topic"/> is to be recorded.</summary>
    public bool Selects(string topic) => Admits(Include, Exclude, topic);

    /// <summary>True when a topic of that name and type, published by those nodes, is to be recorded.</summary>
    public bool Selects(string topic, string type, IReadOnlyList<string> nodes)
    {
        if (!Admits(Include, Exclude, topic) || !Admits(Types, ExcludeTypes, type))
            return false;
        foreach (var node in nodes)
        {
            if (!Admits([], ExcludeNodes, node))
                return false;
        }
        if (Nodes.Count == 0)
            return true;
        foreach (var node in nodes)
        {
            if (Admits(Nodes, [], node))
                return true;
        }
        return false;
    }

    private static bool Admits(IReadOnlyList<string> include, IReadOnlyList<string> exclude, string name)
    {
        foreach (var pattern in exclude)
        {
            if (IsMatch(pattern, name))
                return false;
        }
        if (include.Count == 0)
            return true;
        foreach (var pattern in include)
        {
            if (IsMatch(pattern, name))
                return true;
        }
        return false;
    }

    /// <summary>Whether a name matches a pattern.</summary>
    // Greedy matching with one point to fall back to: linear in practice, quadratic at worst, no recursion.
    public static bool IsMatch(ReadOnlySpan<char> pattern, ReadOnlySpan<char> text)
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
