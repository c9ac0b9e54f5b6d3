using System.Text;

namespace EdgeCloud.Ros2.Definitions;

/// <summary>The complete text of a definition, as recordings carry it.</summary>
/// <param name="TypeName">The type that was asked for.</param>
/// <param name="Encoding"><c>ros2msg</c> or <c>ros2idl</c>.</param>
/// <param name="Text">The definition, then every definition that it refers to.</param>
public sealed record SchemaText(string TypeName, string Encoding, string Text);

/// <summary>
/// Finds message definitions in folders laid out as <c>{folder}/{package}/msg/{Name}.msg</c> (or .idl, <c>srv/</c>,
/// <c>action/</c>) and joins them exactly as rosbag2 does, so that recordings look the same whichever tool made them.
/// Reads files when asked; keeps nothing.
/// </summary>
/// <param name="folders">Folders in order of preference; the first that has the package decides.</param>
public sealed class DefinitionFolders(IReadOnlyList<string> folders)
{
    private const int DepthMax = 50; // rosbag2's own limit
    private static readonly string Rule = new('=', 80);

    // rosbag2's list: without wstring, so that a message with one is recorded as IDL.
    private static readonly HashSet<string> Primitives = new(StringComparer.Ordinal)
    {
        "bool", "byte", "char", "float32", "float64", "int8", "uint8",
        "int16", "uint16", "int32", "uint32", "int64", "uint64", "string",
    };

    /// <summary>The folders where an installed ROS 2 keeps definitions.</summary>
    /// <param name="prefixPath">Value of <c>AMENT_PREFIX_PATH</c>: prefixes separated by colons.</param>
    public static DefinitionFolders FromAmentPrefixPath(string prefixPath) =>
        new([.. prefixPath.Split(':', StringSplitOptions.RemoveEmptyEntries).Select(prefix => Path.Combine(prefix, "share"))]);

    /// <summary>The complete text for a type, or null if it or something that it refers to is in no folder.</summary>
    /// <param name="typeName"><c>pkg/msg/Name</c>, <c>pkg/Name</c>, or a type derived from a service or action such as <c>pkg/srv/Name_Event</c>.</param>
    /// <exception cref="DefinitionException">Definitions refer to each other more than 50 levels deep.</exception>
    public SchemaText? Find(string typeName)
    {
        if (!RosTypeName.TryParse(typeName, out RosTypeName name))
            return null;
        if (name.Namespace is "srv" or "action")
            return FindParts(typeName, name);
        var text = new StringBuilder();
        if (Append(text, typeName, ".msg", [], 0))
            return new SchemaText(typeName, "ros2msg", text.ToString());
        text.Clear().Append(Rule).Append("\nIDL: ").Append(typeName).Append('\n');
        return Append(text, typeName, ".idl", [], 0) ? new SchemaText(typeName, "ros2idl", text.ToString()) : null;
    }

    /// <summary>Services and actions: their own text under a heading, then each dependency as .msg, else as .idl.</summary>
    private SchemaText? FindParts(string typeName, RosTypeName name)
    {
        SectionKind kind = name.Namespace == "srv" ? SectionKind.Srv : SectionKind.Action;
        name = name with { Name = DerivedTypes.BaseName(name.Name, kind) };
        if (Read(name, kind == SectionKind.Srv ? ".srv" : ".action") is not { } own)
            return null;
        var text = new StringBuilder();
        text.Append(Rule).Append(kind == SectionKind.Srv ? "\nSRV: " : "\nACTION: ").Append(name).Append('\n').Append(own);
        var seen = new HashSet<string>(StringComparer.Ordinal);
        string encoding = "ros2msg";
        foreach (string dependency in MsgDependencies(own, name.Package))
        {
            if (!seen.Add(dependency))
                continue;
            int before = text.Length;
            var seenBefore = new HashSet<string>(seen, StringComparer.Ordinal);
            if (AppendDependency(text, dependency, ".msg", seen, 0))
                continue;
            text.Length = before;
            seen = seenBefore;
            if (!AppendDependency(text, dependency, ".idl", seen, 0))
                return null;
            encoding = "ros2idl";
        }

        return new SchemaText(typeName, encoding, text.ToString());
    }

    private bool AppendDependency(StringBuilder text, string typeName, string extension, HashSet<string> seen, int depth)
    {
        text.Append('\n').Append(Rule).Append(extension == ".msg" ? "\nMSG: " : "\nIDL: ").Append(typeName).Append('\n');
        return Append(text, typeName, extension, seen, depth);
    }

    /// <summary>Adds a definition and, depth first and each once, what it refers to. False if a file is missing.</summary>
    private bool Append(StringBuilder text, string typeName, string extension, HashSet<string> seen, int depth)
    {
        if (depth >= DepthMax)
            throw new DefinitionException(typeName, 0, $"definitions refer to each other more than {DepthMax} levels deep");
        if (!RosTypeName.TryParse(typeName, out RosTypeName name) || Read(name, extension) is not { } own)
            return false;
        text.Append(own);
        SortedSet<string> dependencies = extension == ".msg" ? MsgDependencies(own, name.Package) : IdlDependencies(own);
        foreach (string dependency in dependencies)
        {
            if (seen.Add(dependency) && !AppendDependency(text, dependency, extension, seen, depth + 1))
                return false;
        }

        return true;
    }

    private string? Read(RosTypeName name, string extension)
    {
        foreach (string folder in folders)
        {
            string package = Path.Combine(folder, name.Package);
            if (!Directory.Exists(package))
                continue;
            string file = Path.Combine(package, name.Namespace, name.Name + extension);
            return File.Exists(file) ? File.ReadAllText(file) : null;
        }

        return null;
    }

    /// <summary>
    /// What stands first on each line, before white space, and is no primitive: names in the order that rosbag2
    /// writes them. Bounded strings are passed over because '&lt;' ends the word.
    /// </summary>
    private static SortedSet<string> MsgDependencies(string text, string package)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string line in text.Split('\n'))
        {
            string code = line.TrimStart();
            int end = 0;
            while (end < code.Length && (char.IsAsciiLetterOrDigit(code[end]) || code[end] is '_' or '/'))
                end++;
            int after = end;
            if (after < code.Length && code[after] == '[')
                after = code.IndexOf(']', after) + 1;
            string word = code[..end];
            if (end == 0 || after == 0 || after >= code.Length || !char.IsWhiteSpace(code[after]) || Primitives.Contains(word))
                continue;
            names.Add(word.Contains('/') ? word : package + "/" + word);
        }

        return names;
    }

    /// <summary>Names in the include lines.</summary>
    private static SortedSet<string> IdlDependencies(string text)
    {
        var names = new SortedSet<string>(StringComparer.Ordinal);
        foreach (string line in text.Split('\n'))
        {
            if (!line.StartsWith("#include", StringComparison.Ordinal))
                continue;
            string name = line["#include".Length..].Trim().Trim('"', '<', '>');
            if (name.EndsWith(".idl", StringComparison.Ordinal))
                names.Add(name[..^".idl".Length]);
        }

        return names;
    }
}
