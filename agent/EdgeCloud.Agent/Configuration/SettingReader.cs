using System.Globalization;
using System.Text;

namespace EdgeCloud.Agent.Configuration;

/// <summary>
/// Turns settings into values and remembers every key that was asked for: what is set and was never asked for is unknown.
/// Errors are collected, so that one run shows them all.
/// </summary>
internal sealed class SettingReader(SettingTree tree)
{
    private readonly HashSet<string> _known = new(StringComparer.Ordinal);
    private readonly List<string> _errors = [];

    public bool HasSection(string section) => tree.HasSection(section);

    /// <summary>A text, or <paramref name="otherwise"/> when the key is not set.</summary>
    public string? Text(string path, string? otherwise = null) => Find(path) is { } s ? s.Values[0] : otherwise;

    /// <summary>A text that must be set.</summary>
    public string RequiredText(string path, string meaning)
    {
        if (Find(path) is { } setting && setting.Values[0].Length > 0)
            return setting.Values[0];
        _errors.Add($"{tree.File}: {path} is not set; it must be {meaning} (or set {VariableName(path)})");
        return "";
    }

    /// <summary>A text that obeys a rule.</summary>
    public string Text(string path, string otherwise, Func<string, bool> isAllowed, string allowed)
    {
        if (Find(path) is not { } setting)
            return otherwise;
        if (isAllowed(setting.Values[0]))
            return setting.Values[0];
        Refuse(setting, allowed);
        return otherwise;
    }

    public long Integer(string path, long otherwise, long min, long max = long.MaxValue)
    {
        if (Find(path) is not { } setting)
            return otherwise;
        if (long.TryParse(setting.Values[0], NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value)
            && value >= min && value <= max)
            return value;
        Refuse(setting, max == long.MaxValue ? $"a whole number of at least {min}" : $"a whole number from {min} to {max}");
        return otherwise;
    }

    public double Number(string path, double otherwise, double min, double max)
    {
        if (Find(path) is not { } setting)
            return otherwise;
        if (double.TryParse(setting.Values[0], NumberStyles.Float, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
            return value;
        Refuse(setting, string.Create(CultureInfo.InvariantCulture, $"a number from {min} to {max}"));
        return otherwise;
    }

    public bool Flag(string path, bool otherwise)
    {
        if (Find(path) is not { } setting)
            return otherwise;
        if (bool.TryParse(setting.Values[0], out var value))
            return value;
        Refuse(setting, "true or false");
        return otherwise;
    }

    public T Choice<T>(string path, T otherwise) where T : struct, Enum
    {
        if (Find(path) is not { } setting)
            return otherwise;
        foreach (var value in Enum.GetValues<T>())
        {
            if (Word(value) == setting.Values[0])
                return value;
        }
        Refuse(setting, Words<T>());
        return otherwise;
    }

    /// <summary>A choice; null when the key is not set.</summary>
    public T? OptionalChoice<T>(string path) where T : struct, Enum => Find(path) is null ? null : Choice(path, default(T));

    /// <summary>Something that is read from a file of its own; its errors are this configuration's.</summary>
    public T Part<T>(Func<T> read, T otherwise)
    {
        try
        {
            return read();
        }
        catch (ConfigurationException e)
        {
            _errors.AddRange(e.Errors);
            return otherwise;
        }
    }

    public T RequiredChoice<T>(string path) where T : struct, Enum
    {
        if (Find(path) is null)
            _errors.Add($"{tree.File}: {path} is not set; it must be {Words<T>()} (or set {VariableName(path)})");
        return Choice(path, default(T));
    }

    /// <summary>A list; from a variable, split at commas.</summary>
    public IReadOnlyList<string> List(string path)
    {
        _known.Add(path);
        return tree.Find(path) switch
        {
            null => [],
            { IsList: true } list => list.Values,
            var one => one.Values[0].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries),
        };
    }

    /// <summary>The lists below <paramref name="section"/>, by their names, which are free.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Lists(string section) => tree.All
        .Where(s => s.Path.StartsWith(section + ".", StringComparison.Ordinal)).ToList()
        .ToDictionary(s => s.Path[(section.Length + 1)..], s => List(s.Path), StringComparer.Ordinal);

    /// <summary>The texts below <paramref name="section"/>, by their names, which are free.</summary>
    public IReadOnlyDictionary<string, string> Texts(string section) => tree.All
        .Where(s => s.Path.StartsWith(section + ".", StringComparison.Ordinal)).ToList()
        .ToDictionary(s => s.Path[(section.Length + 1)..], s => Text(s.Path) ?? "", StringComparer.Ordinal);

    /// <summary>
    /// A secret given as <paramref name="path"/> or as a file <c>{path}_file</c>, of which the first line is taken; null when neither is set.
    /// </summary>
    public string? Secret(string path, Func<string, string> resolve)
    {
        var value = Text(path);
        if (Find(path + "_file") is not { } file)
            return value;
        if (value is not null)
        {
            _errors.Add($"{file.Origin}: {path} and {path}_file are both set; one is allowed");
            return value;
        }
        try
        {
            return File.ReadLines(resolve(file.Values[0])).FirstOrDefault()?.Trim() ?? "";
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Refuse(file, $"a readable file ({e.Message})");
            return null;
        }
    }

    /// <summary>Reports a rule over more than one key.</summary>
    public void Require(bool holds, string path, string rule)
    {
        if (!holds)
            _errors.Add($"{tree.Find(path)?.Origin ?? tree.File}: {path}: {rule}");
    }

    /// <summary>Ends the reading: unknown keys are errors too.</summary>
    /// <exception cref="ConfigurationException">Anything was wrong.</exception>
    public void Finish()
    {
        foreach (var setting in tree.All.Where(s => !_known.Contains(s.Path)))
        {
            var nearest = _known.MinBy(k => Distance(k, setting.Path))!;
            _errors.Add($"{setting.Origin}: {setting.Path} is not a key; the nearest one is {nearest}");
        }
        if (_errors.Count > 0)
            throw new ConfigurationException(_errors);
    }

    private Setting? Find(string path)
    {
        _known.Add(path);
        var setting = tree.Find(path);
        if (setting is not { IsList: true })
            return setting;
        Refuse(setting, "one value, not a list");
        return null;
    }

    private void Refuse(Setting setting, string allowed) =>
        _errors.Add($"{setting.Origin}: {setting.Path} is '{string.Join(", ", setting.Values)}'; allowed is {allowed}");

    private static string VariableName(string path) =>
        "EDGECLOUD_" + path.Replace(".", "__", StringComparison.Ordinal).ToUpperInvariant();

    private static string Words<T>() where T : struct, Enum => string.Join(" or ", Enum.GetValues<T>().Select(Word));

    private static string Word<T>(T value) where T : struct, Enum
    {
        var word = new StringBuilder();
        foreach (var c in value.ToString())
        {
            if (char.IsUpper(c) && word.Length > 0)
                word.Append('_');
            word.Append(char.ToLowerInvariant(c));
        }
        return word.ToString();
    }

    /// <summary>Edit distance (Levenshtein), two rows.</summary>
    private static int Distance(string a, string b)
    {
        var previous = Enumerable.Range(0, b.Length + 1).ToArray();
        var current = new int[b.Length + 1];
        for (var i = 1; i <= a.Length; i++)
        {
            current[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var substitution = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                current[j] = Math.Min(substitution, Math.Min(previous[j], current[j - 1]) + 1);
            }
            (previous, current) = (current, previous);
        }
        return previous[b.Length];
    }
}
