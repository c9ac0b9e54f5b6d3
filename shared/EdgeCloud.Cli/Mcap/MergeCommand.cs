using System.CommandLine;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Cli.Mcap;

/// <summary><c>mcap merge</c>: several files as one, by log time.</summary>
internal static class MergeCommand
{
    public static Command Build()
    {
        var files = McapFiles.Arguments();
        var coalesce = new Option<string>("--coalesce-channels")
        {
            Description = "auto: channels of equal topic, schema, encoding and metadata become one; force: whatever their metadata; none: they stay apart",
            DefaultValueFactory = _ => "auto",
        };
        coalesce.AcceptOnlyFromAmong("auto", "force", "none");
        var duplicates = new Option<bool>("--allow-duplicate-metadata") { Description = "Keep metadata records of one name with different contents" };
        var rewriting = new Rewriting();
        var command = new Command("merge", "Merge files by log time; messages of one time stay in the order of the files") { files, coalesce, duplicates };
        rewriting.AddTo(command);
        command.SetAction(async (parsed, cancellation) =>
        {
            rewriting.DuplicateMetadata = parsed.GetValue(duplicates);
            rewriting.Coalescing = parsed.GetValue(coalesce) switch
            {
                "force" => ChannelCoalescing.IgnoreMetadata,
                "none" => ChannelCoalescing.None,
                _ => ChannelCoalescing.Equal,
            };
            await rewriting.RunAsync(parsed, parsed.GetRequiredValue(files), new(), cancellation);
        });
        return command;
    }
}
