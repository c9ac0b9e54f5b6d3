using System.Globalization;
using System.Text;
using EdgeCloud.Export.Formats;

namespace EdgeCloud.Export;

/// <summary>The file <c>README.md</c> of an export: what is in it and how to load it. Follows from the plan alone, as the data does.</summary>
internal static class Readme
{
    private const int TopicsMax = 100;

    public static string Of(ExportManifest manifest, ExportFormat format)
    {
        var text = new StringBuilder();
        text.Append("# Recorded robot data\n\n");
        var robots = manifest.Sources.Select(s => s.Robot).Distinct().ToList();
        text.Append(CultureInfo.InvariantCulture, $"{manifest.Topics.Sum(t => t.Messages)} messages of {manifest.Topics.Select(t => t.Topic).Distinct().Count()} topics from {manifest.Sources.Count} session(s) of {string.Join(", ", robots)}, format `{manifest.Format}`.\n");
        if (!manifest.Complete)
            text.Append("\n**This export is not complete**: `manifest.json` says under `missing` and `problems` what is not in it.\n");
        foreach (var note in manifest.Notes)
            text.Append(CultureInfo.InvariantCulture, $"\n{note}\n");
        text.Append("\n## Loading it\n\n");
        if (manifest.Tables.Count > 0)
            text.Append(CultureInfo.InvariantCulture, $"The topics are aligned: instead of a table for each topic there is {string.Join(", ", manifest.Tables.Select(t => $"`{t.Name}`"))} with a row for each tick of one clock, `time`. `TOPIC.valid` says whether a topic had a message near enough; its other columns are `TOPIC.FIELD`.\n\n");
        text.Append(format.Loading(manifest)).Append('\n');
        text.Append("\n## What is in it\n\n| topic | robot | type | messages | Hz |\n|---|---|---|---:|---:|\n");
        foreach (var topic in manifest.Topics.Take(TopicsMax))
            text.Append(CultureInfo.InvariantCulture, $"| `{topic.Topic}` | {topic.Robot} | {topic.Type} | {topic.Messages} | {topic.RateHz:0.##} |\n");
        if (manifest.Topics.Count > TopicsMax)
            text.Append(CultureInfo.InvariantCulture, $"\n{manifest.Topics.Count - TopicsMax} more topics are in `manifest.json`.\n");
        text.Append("\nAll times are nanoseconds since the Unix epoch, UTC: `log_time` when the robot received a message, `publish_time` when it was sent.\n");
        text.Append("`manifest.json` lists every file with its SHA-256, the columns with their units, the recordings that this was made of, and what was lost on the way.\n");
        return text.ToString();
    }
}
