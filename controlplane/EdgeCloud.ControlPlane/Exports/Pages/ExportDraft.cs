using System.Globalization;
using System.Text.Json;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.ControlPlane.Exports.Pages;

/// <summary>How rows get onto one clock.</summary>
public enum DraftClock
{
    /// <summary>Not at all: a table per topic.</summary>
    None,
    /// <summary>At a rate.</summary>
    Rate,
    /// <summary>At the messages of one topic.</summary>
    Topic,
}

/// <summary>
/// An export as the form has it while it is filled in: texts as they were typed, all of it in the address
/// (<c>/exports/new?session&amp;from&amp;to&amp;topics&amp;format&amp;options</c>).
/// </summary>
public sealed class ExportDraft
{
    private static readonly char[] Separators = [',', ' ', '\n', '\t', ';'];

    public List<Guid> Sessions { get; init; } = [];
    /// <summary>Begin, ISO 8601; empty for the sessions' own.</summary>
    public string From { get; set; } = "";
    /// <summary>End, ISO 8601; empty for the sessions' own.</summary>
    public string To { get; set; } = "";
    /// <summary>Chosen topics; empty means all.</summary>
    public SortedSet<string> Topics { get; init; } = new(StringComparer.Ordinal);
    public string Format { get; set; } = ExportFormats.Mcap;
    public DraftOptions Options { get; set; } = new();

    /// <summary>Whether the format writes columns rather than whole messages.</summary>
    public bool HasColumns => Format is not (ExportFormats.Mcap or ExportFormats.Rosbag2);

    /// <summary>Reads an address; what makes no sense in it is left out.</summary>
    public static ExportDraft Of(string[]? sessions, string? from, string? to, string? topics, string? format, string? options)
    {
        var draft = new ExportDraft
        {
            From = from ?? "",
            To = to ?? "",
            Format = ExportFormats.All.Contains(format) ? format! : ExportFormats.Mcap,
            Options = ReadOptions(options),
        };
        draft.Sessions.AddRange((sessions ?? []).SelectMany(s => s.Split(',')).Select(s => Guid.TryParse(s, out var id) ? id : Guid.Empty).Where(id => id != Guid.Empty).Distinct());
        draft.Topics.UnionWith(topics?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? []);
        return draft;
    }

    /// <summary>The address of the form as it stands.</summary>
    public string Address()
    {
        var query = new List<string>();
        if (Sessions.Count > 0)
            query.Add($"session={string.Join(',', Sessions)}");
        if (From.Length > 0)
            query.Add($"from={Uri.EscapeDataString(From)}");
        if (To.Length > 0)
            query.Add($"to={Uri.EscapeDataString(To)}");
        if (Topics.Count > 0)
            query.Add($"topics={string.Join(',', Topics.Select(Uri.EscapeDataString))}");
        if (Format != ExportFormats.Mcap)
            query.Add($"format={Format}");
        if (Options != new DraftOptions())
            query.Add($"options={Uri.EscapeDataString(JsonSerializer.Serialize(Options))}");
        return query.Count == 0 ? "/exports/new" : $"/exports/new?{string.Join('&', query)}";
    }

    /// <summary>The request that the form stands for.</summary>
    /// <exception cref="RequestException">A field holds what cannot be read; the error names it.</exception>
    public ExportRequest ToRequest(DateTimeOffset now) => new()
    {
        Sessions = Sessions,
        Selection = Topics.Count == 0 ? null : new TopicSelection { Include = [.. Topics] },
        FromNs = Moment("from", From, now),
        ToNs = Moment("to", To, now),
        Format = Format,
        Fields = HasColumns && Options.Fields.Length > 0 ? ReadFields(Options.Fields) : [],
        Sampling = Options.RateHz.Length > 0 ? [new TopicSampling { Topic = "*", RateHz = Number("rate", Options.RateHz) }] : [],
        Alignment = HasColumns && Options.Clock != DraftClock.None
            ? new ExportAlignment
            {
                RateHz = Options.Clock == DraftClock.Rate ? Number("clock", Options.ClockHz) : null,
                MasterTopic = Options.Clock == DraftClock.Topic ? Options.ClockTopic : null,
                Method = Options.Method,
                ToleranceNs = (long)(Number("tolerance", Options.ToleranceMs) * 1e6),
            }
            : null,
        Images = Options.Images,
        PointClouds = Options.PointClouds,
        AllowIncomplete = Options.AllowIncomplete,
    };

    /// <summary>Takes over what a recipe says; sessions and times stay.</summary>
    public void Apply(ExportRequest recipe)
    {
        Topics.Clear();
        Topics.UnionWith(recipe.Selection?.Include ?? []);
        Format = recipe.Format;
        Options = new DraftOptions
        {
            Fields = string.Join('\n', recipe.Fields.Select(f => $"{f.Topic}: {string.Join(", ", f.Fields)}")),
            RateHz = Text(recipe.Sampling.FirstOrDefault()?.RateHz),
            Clock = recipe.Alignment switch { null => DraftClock.None, { RateHz: not null } => DraftClock.Rate, _ => DraftClock.Topic },
            ClockHz = Text(recipe.Alignment?.RateHz) is { Length: > 0 } rate ? rate : new DraftOptions().ClockHz,
            ClockTopic = recipe.Alignment?.MasterTopic ?? "",
            Method = recipe.Alignment?.Method ?? AlignmentMethod.Nearest,
            ToleranceMs = recipe.Alignment is { } alignment ? Text(alignment.ToleranceNs / 1e6) : new DraftOptions().ToleranceMs,
            Images = recipe.Images,
            PointClouds = recipe.PointClouds,
            AllowIncomplete = recipe.AllowIncomplete,
        };
    }

    private static DraftOptions ReadOptions(string? json)
    {
        try
        {
            return string.IsNullOrEmpty(json) ? new DraftOptions() : JsonSerializer.Deserialize<DraftOptions>(json) ?? new DraftOptions();
        }
        catch (JsonException)
        {
            // A mistyped address shows the form all the same.
            return new DraftOptions();
        }
    }

    private static long? Moment(string field, string text, DateTimeOffset now) => text.Trim() is not { Length: > 0 } written
        ? null
        : Shell.AddressTime.Parse(written, now) ?? throw RequestException.Invalid(field, $"a time in UTC such as 2026-03-01T08:41:07Z, or now-5m; '{written}' is none");

    private static double Number(string field, string text) =>
        double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) && double.IsFinite(number)
            ? number
            : throw RequestException.Invalid(field, $"a number; '{text}' is none");

    private static List<TopicFields> ReadFields(string text)
    {
        var fields = new List<TopicFields>();
        foreach (var line in text.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            var colon = line.IndexOf(':', StringComparison.Ordinal);
            var paths = line[(colon + 1)..].Split(Separators, StringSplitOptions.RemoveEmptyEntries);
            if (colon < 1 || paths.Length == 0)
                throw RequestException.Invalid("fields", $"a topic, a colon and fields on each line, such as /imu/data: linear_acceleration; '{line}' is not");
            fields.Add(new TopicFields(line[..colon].Trim(), paths));
        }
        return fields;
    }

    private static string Text(double? number) => number?.ToString("0.######", CultureInfo.InvariantCulture) ?? "";
}

/// <summary>The rarer choices of the form, as they were typed.</summary>
public sealed record DraftOptions
{
    /// <summary>Lines of <c>topic: field, field</c>; empty for all fields.</summary>
    public string Fields { get; set; } = "";
    /// <summary>At most so many messages per second and topic; empty for all.</summary>
    public string RateHz { get; set; } = "";
    public DraftClock Clock { get; set; }
    public string ClockHz { get; set; } = "10";
    public string ClockTopic { get; set; } = "";
    public AlignmentMethod Method { get; set; }
    public string ToleranceMs { get; set; } = "100";
    public ImageFiles Images { get; set; }
    public CloudFiles PointClouds { get; set; }
    public bool AllowIncomplete { get; set; }
}
