using System.CommandLine;
using System.Text.RegularExpressions;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Cli.Mcap;

/// <summary><c>mcap filter</c>: some topics and some times of a file.</summary>
internal static class FilterCommand
{
    public static Command Build()
    {
        var file = McapFiles.Argument();
        var include = new Option<string[]>("--include-topic-regex", "-y") { Description = "Topics to keep: a regular expression for the whole name; repeatable" };
        var exclude = new Option<string[]>("--exclude-topic-regex", "-n") { Description = "Topics to leave out: a regular expression for the whole name; repeatable" };
        var withoutMetadata = new Option<bool>("--exclude-metadata") { Description = "Leave out the metadata records" };
        var withoutAttachments = new Option<bool>("--exclude-attachments") { Description = "Leave out the attachments" };
        var range = new Times.RangeOptions();
        var rewriting = new Rewriting();
        var command = new Command("filter", "Copy some topics and some times of a file, in file order") { file, include, exclude, withoutMetadata, withoutAttachments };
        range.AddTo(command);
        rewriting.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            var (keep, drop) = (Patterns(parsed.GetValue(include)), Patterns(parsed.GetValue(exclude)));
            if (keep.Count > 0 && drop.Count > 0)
                throw new CliException("Give either topics to keep (-y) or topics to leave out (-n), not both.", ExitCodes.Usage);
            var options = range.Of(parsed) with
            {
                Order = MessageOrder.File,
                Topics = topic => (keep.Count == 0 || keep.Exists(one => one.IsMatch(topic))) && !drop.Exists(one => one.IsMatch(topic)),
            };
            rewriting.Attachments = !parsed.GetValue(withoutAttachments);
            rewriting.Metadata = !parsed.GetValue(withoutMetadata);
            await rewriting.RunAsync(parsed, [parsed.GetRequiredValue(file)], options, cancellation);
        });
        return command;
    }

    private static List<Regex> Patterns(string[]? patterns)
    {
        try
        {
            return (patterns ?? []).Select(pattern => new Regex($"^(?:{pattern})$", RegexOptions.CultureInvariant)).ToList();
        }
        catch (ArgumentException e)
        {
            throw new CliException($"Not a regular expression: {e.Message}", ExitCodes.Usage, e);
        }
    }
}
