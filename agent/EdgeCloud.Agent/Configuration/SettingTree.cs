using YamlDotNet.Core;
using YamlDotNet.RepresentationModel;

namespace EdgeCloud.Agent.Configuration;

/// <summary>A configuration that cannot be used. Each line of the message names the file or variable, the key, the value and what is allowed.</summary>
internal sealed class ConfigurationException(IReadOnlyList<string> errors) : Exception(string.Join(Environment.NewLine, errors))
{
    public IReadOnlyList<string> Errors { get; } = errors;
}

/// <summary>One value of the configuration.</summary>
/// <param name="Path">Dotted key, such as <c>mqtt.host</c>.</param>
/// <param name="Values">The scalar, or the items of a list.</param>
/// <param name="IsList">Written as a list.</param>
/// <param name="Origin">Where it was written: <c>agent.yaml:12</c> or <c>EDGECLOUD_MQTT__HOST</c>.</param>
internal sealed record Setting(string Path, IReadOnlyList<string> Values, bool IsList, string Origin);

/// <summary>
/// A YAML file flattened to dotted keys (items of a list of mappings have their number from 0 in between), overlaid with environment variables: <c>EDGECLOUD_MQTT__PASSWORD</c> is <c>mqtt.password</c>, and
/// commas separate the items of a list. Other programs have variables with the same beginning, so one without <c>__</c> that names no
/// top-level key is none of ours.
/// </summary>
internal sealed class SettingTree
{
    private const string Variables = "EDGECLOUD_";
    private readonly SortedDictionary<string, Setting> _settings = new(StringComparer.Ordinal);

    private SettingTree(string file) => File = file;

    /// <summary>The file, as it was named.</summary>
    public string File { get; }

    public IEnumerable<Setting> All => _settings.Values;

    public Setting? Find(string path) => _settings.GetValueOrDefault(path);

    /// <summary>True when anything below <paramref name="section"/> is set.</summary>
    public bool HasSection(string section) => _settings.Keys.Any(k => k.StartsWith(section + ".", StringComparison.Ordinal));

    /// <summary>Reads <paramref name="file"/> and overlays <paramref name="environment"/>.</summary>
    /// <exception cref="ConfigurationException">The file cannot be read or is not a YAML mapping of mappings, scalars and lists of scalars.</exception>
    public static SettingTree Load(
        string file, IEnumerable<KeyValuePair<string, string>> environment, IReadOnlyCollection<string> topLevelKeys)
    {
        var tree = new SettingTree(file);
        var errors = new List<string>();
        tree.AddFile(errors);
        if (errors.Count > 0)
            throw new ConfigurationException(errors);
        foreach (var (name, value) in environment)
            tree.AddVariable(name, value, topLevelKeys);
        return tree;
    }

    private void AddFile(List<string> errors)
    {
        var stream = new YamlStream();
        try
        {
            using var reader = new StreamReader(File);
            stream.Load(reader);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            errors.Add($"{File}: cannot be read: {e.Message}");
            return;
        }
        catch (YamlException e)
        {
            errors.Add($"{File}:{e.Start.Line}: not YAML: {e.Message}");
            return;
        }
        if (stream.Documents.Count == 0)
            return;
        if (stream.Documents.Count > 1)
            errors.Add($"{File}:{stream.Documents[1].RootNode.Start.Line}: a second YAML document; one is allowed");
        if (stream.Documents[0].RootNode is YamlMappingNode root)
            AddMapping("", root, errors);
        else
            errors.Add($"{File}:{stream.Documents[0].RootNode.Start.Line}: the file holds no 'key: value' lines");
    }

    private void AddMapping(string parent, YamlMappingNode mapping, List<string> errors)
    {
        foreach (var (keyNode, node) in mapping.Children)
        {
            var origin = $"{File}:{keyNode.Start.Line}";
            if (keyNode is not YamlScalarNode { Value: { Length: > 0 } key })
            {
                errors.Add($"{origin}: a key must be a word");
                continue;
            }
            var path = parent.Length == 0 ? key : $"{parent}.{key}";
            switch (node)
            {
                case YamlMappingNode inner:
                    AddMapping(path, inner, errors);
                    break;
                case YamlSequenceNode list when list.Children.All(c => c is YamlScalarNode):
                    _settings[path] = new Setting(path, [.. list.Children.Select(c => ((YamlScalarNode)c).Value ?? "")], true, origin);
                    break;
                case YamlSequenceNode list when list.Children.All(c => c is YamlMappingNode):
                    for (var i = 0; i < list.Children.Count; i++)
                        AddMapping($"{path}.{i}", (YamlMappingNode)list.Children[i], errors);
                    break;
                case YamlScalarNode scalar:
                    if (!IsNull(scalar))
                        _settings[path] = new Setting(path, [scalar.Value!], false, origin);
                    break;
                default:
                    errors.Add($"{origin}: {path}: a list holds either plain values or 'key: value' items");
                    break;
            }
        }
    }

    private static bool IsNull(YamlScalarNode scalar) =>
        scalar.Style is ScalarStyle.Plain && scalar.Value is null or "" or "~" or "null";

    private void AddVariable(string name, string value, IReadOnlyCollection<string> topLevelKeys)
    {
        if (!name.StartsWith(Variables, StringComparison.Ordinal))
            return;
        var path = name[Variables.Length..].ToLowerInvariant().Replace("__", ".", StringComparison.Ordinal);
        if (path.Contains('.', StringComparison.Ordinal) || topLevelKeys.Contains(path))
            _settings[path] = new Setting(path, [value], false, name);
    }
}
