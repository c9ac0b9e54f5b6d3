using System.CommandLine;

namespace EdgeCloud.Cli.Mcap;

/// <summary><c>mcap sort</c>: a file by log time.</summary>
internal static class SortCommand
{
    public static Command Build()
    {
        var file = McapFiles.Argument();
        var rewriting = new Rewriting { Coalescing = EdgeCloud.Mcap.Writing.ChannelCoalescing.None };
        var command = new Command("sort", "Rewrite a file with its messages by log time") { file };
        rewriting.AddTo(command);
        command.SetAction((parsed, cancellation) => rewriting.RunAsync(parsed, [parsed.GetRequiredValue(file)], new(), cancellation));
        return command;
    }
}
