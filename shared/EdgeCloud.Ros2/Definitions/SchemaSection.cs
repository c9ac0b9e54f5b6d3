namespace EdgeCloud.Ros2.Definitions;

/// <summary>What language a section of a schema is written in.</summary>
internal enum SectionKind
{
    /// <summary>One message.</summary>
    Msg,

    /// <summary>OMG IDL.</summary>
    Idl,

    /// <summary>Request and response, separated by <c>---</c>.</summary>
    Srv,

    /// <summary>Goal, result and feedback, separated by <c>---</c>.</summary>
    Action,
}

/// <summary>
/// One definition of a concatenated schema (rosbag2, "Message definition encoding"): definitions are separated by
/// a line of 80 '=' and a line <c>MSG: pkg/Name</c>, <c>IDL: pkg/msg/Name</c>, <c>SRV: pkg/srv/Name</c> or
/// <c>ACTION: pkg/action/Name</c>.
/// </summary>
/// <param name="Kind">Its language.</param>
/// <param name="Name">Its name as written, or null for a first definition without a header.</param>
/// <param name="Lines">Its lines, without line ends.</param>
internal sealed record SchemaSection(SectionKind Kind, string? Name, List<string> Lines)
{
    private static readonly (string Prefix, SectionKind Kind)[] Prefixes =
        [("MSG:", SectionKind.Msg), ("IDL:", SectionKind.Idl), ("SRV:", SectionKind.Srv), ("ACTION:", SectionKind.Action)];

    /// <summary>True if nothing but white space is in it.</summary>
    public bool IsBlank => Lines.TrueForAll(string.IsNullOrWhiteSpace);

    /// <summary>Splits a schema's text. The result has at least one section.</summary>
    /// <param name="text">The text.</param>
    /// <param name="first">Language of a first section without a header.</param>
    public static List<SchemaSection> Split(string text, SectionKind first)
    {
        string[] lines = text.ReplaceLineEndings("\n").Split('\n');
        var sections = new List<SchemaSection> { new(first, null, []) };
        for (int i = 0; i < lines.Length; i++)
        {
            if (IsSeparator(lines[i]) && i + 1 < lines.Length && Header(lines[i + 1]) is { } header)
            {
                sections.Add(new SchemaSection(header.Kind, header.Name, []));
                i++;
            }
            else
            {
                sections[^1].Lines.Add(lines[i]);
            }
        }

        if (sections.Count > 1 && sections[0].IsBlank && sections[1].Kind != SectionKind.Msg)
            sections.RemoveAt(0); // every IDL definition has a header, the first too
        return sections;
    }

    // 80 by convention; some writers use fewer or more.
    private static bool IsSeparator(string line) => line.TrimEnd() is { Length: >= 10 } rule && rule.Trim('=').Length == 0;

    private static (SectionKind Kind, string Name)? Header(string line)
    {
        foreach ((string prefix, SectionKind kind) in Prefixes)
        {
            if (line.StartsWith(prefix, StringComparison.Ordinal))
                return (kind, line[prefix.Length..].Trim());
        }

        return null;
    }
}
