using System.CommandLine;
using System.Globalization;
using System.Text.RegularExpressions;
using EdgeCloud.Cli.Mcap;
using EdgeCloud.Contracts;
using ParseResult = System.CommandLine.ParseResult;

namespace EdgeCloud.Cli.Export;

/// <summary>The options that say what an export makes of messages.</summary>
/// <param name="format">The format when none is named; null when one must be.</param>
internal sealed partial class SettingOptions(string? format = null)
{
    private readonly Option<string> _format = new("--format", "-f")
    {
        Description = $"One of {string.Join(", ", ExportFormats.All)}",
        Required = format is null,
        DefaultValueFactory = format is null ? null! : _ => format,
    };
    private readonly Option<string[]> _topics = Several("--topics", "Topics to export, * stands for anything (default: all)");
    private readonly Option<string[]> _exclude = Several("--exclude", "Topics to leave out");
    private readonly Option<string[]> _fields = Several("--fields", "Fields that become columns: TOPIC:FIELD,FIELD; topics without an entry have all of theirs");
    private readonly Option<string[]> _filters = Several("--filter", "Messages to keep: 'TOPIC:FIELD>=VALUE', with =, !=, <, <=, > or >=");
    private readonly Option<string[]> _sample = Several("--sample", "Down-sampling: TOPIC=RATE in Hz, or TOPIC=1/N for every N-th message");
    private readonly Option<double?> _alignRate = new("--align-rate") { Description = "One table with a row for each tick of this rate, Hz" };
    private readonly Option<string?> _alignMaster = new("--align-to") { Description = "One table with a row for each message of this topic" };
    private readonly Option<AlignmentMethod> _method = new("--align-method") { Description = "nearest, previous or linear (integers become float64, quaternions slerp)" };
    private readonly Option<double> _tolerance = new("--tolerance") { Description = "How far a message may be from the tick, seconds", DefaultValueFactory = _ => 0.1 };
    private readonly Option<ImageFiles> _images = new("--images") { Description = "Images as files beside the tables or the recording: none, png, jpeg or raw" };
    private readonly Option<CloudFiles> _clouds = new("--point-clouds") { Description = "Point clouds as files beside the tables or the recording: none, pcd or ply" };
    private readonly Option<long?> _partBytes = new("--part-bytes") { Description = "About how many bytes of recordings become one file of each topic (default: 256 MiB)" };
    private readonly Option<bool> _incomplete = new("--allow-incomplete") { Description = "Leave out what cannot be read, and say so in the manifest" };
    private readonly Times.RangeOptions _range = new();

    public void AddTo(Command command)
    {
        Option[] all = [_format, _topics, _exclude, _fields, _filters, _sample, _alignRate, _alignMaster, _method, _tolerance, _images, _clouds, _partBytes, _incomplete];
        foreach (var option in all)
            command.Options.Add(option);
        _range.AddTo(command);
    }

    /// <summary>The settings.</summary>
    /// <exception cref="CliException">They contradict each other.</exception>
    public ExportSettings Of(ParseResult parsed)
    {
        var range = _range.Of(parsed);
        string[] include = parsed.GetValue(_topics) ?? [], exclude = parsed.GetValue(_exclude) ?? [];
        var (rate, master) = (parsed.GetValue(_alignRate), parsed.GetValue(_alignMaster));
        var settings = new ExportSettings
        {
            Format = parsed.GetRequiredValue(_format),
            Selection = include.Length + exclude.Length == 0 ? null : new TopicSelection { Include = include, Exclude = exclude },
            FromNs = range.StartTime == 0 ? null : (long)range.StartTime,
            ToNs = (long?)range.EndTime,
            Fields = [.. (parsed.GetValue(_fields) ?? []).Select(FieldsOf)],
            Filters = [.. (parsed.GetValue(_filters) ?? []).Select(FilterOf)],
            Sampling = [.. (parsed.GetValue(_sample) ?? []).Select(SamplingOf)],
            Alignment = rate is null && master is null ? null : new ExportAlignment
            {
                RateHz = rate,
                MasterTopic = master,
                Method = parsed.GetValue(_method),
                ToleranceNs = (long)(parsed.GetValue(_tolerance) * 1e9),
            },
            Images = parsed.GetValue(_images),
            PointClouds = parsed.GetValue(_clouds),
            PartBytes = parsed.GetValue(_partBytes),
            AllowIncomplete = parsed.GetValue(_incomplete),
        };
        foreach (var (setting, problem) in settings.Problems())
            throw new CliException($"{setting}: {problem}", ExitCodes.Usage);
        return settings;
    }

    private static TopicFields FieldsOf(string text)
    {
        var colon = text.IndexOf(':');
        if (colon <= 0 || colon == text.Length - 1)
            throw new CliException($"--fields: expected TOPIC:FIELD,FIELD, found '{text}'.", ExitCodes.Usage);
        return new(text[..colon], text[(colon + 1)..].Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries));
    }

    private static FieldFilter FilterOf(string text)
    {
        if (Condition().Match(text) is not { Success: true } match)
            throw new CliException($"--filter: expected TOPIC:FIELD>=VALUE (or =, !=, <, <=, >), found '{text}'.", ExitCodes.Usage);
        var comparison = match.Groups[3].Value switch
        {
            "<" => FilterComparison.Less,
            "<=" => FilterComparison.LessOrEqual,
            ">" => FilterComparison.Greater,
            ">=" => FilterComparison.GreaterOrEqual,
            "!=" => FilterComparison.NotEqual,
            _ => FilterComparison.Equal,
        };
        return new(match.Groups[1].Value, match.Groups[2].Value.Trim(), comparison, match.Groups[4].Value.Trim());
    }

    private static TopicSampling SamplingOf(string text)
    {
        var equals = text.LastIndexOf('=');
        if (equals > 0)
        {
            var (topic, value) = (text[..equals], text[(equals + 1)..]);
            if (value.StartsWith("1/", StringComparison.Ordinal) && int.TryParse(value.AsSpan(2), NumberStyles.None, CultureInfo.InvariantCulture, out var every))
                return new() { Topic = topic, Every = every };
            if (double.TryParse(value, NumberStyles.Float, CultureInfo.InvariantCulture, out var rate))
                return new() { Topic = topic, RateHz = rate };
        }
        throw new CliException($"--sample: expected TOPIC=RATE or TOPIC=1/N, found '{text}'.", ExitCodes.Usage);
    }

    private static Option<string[]> Several(string name, string description) => new(name) { Description = description, AllowMultipleArgumentsPerToken = true };

    [GeneratedRegex("^([^:]+):([^<>=!]+)(<=|>=|==|!=|=|<|>)(.*)$")]
    private static partial Regex Condition();
}
