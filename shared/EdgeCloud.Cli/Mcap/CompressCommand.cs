using System.CommandLine;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Cli.Mcap;

/// <summary><c>mcap compress</c> and <c>mcap decompress</c>: the same messages in the same order in other chunks.</summary>
internal static class CompressCommand
{
    public static Command Build() => Build("compress", "Rewrite a file with compressed chunks", McapCompression.Zstd, choice: true);

    public static Command BuildDecompress() => Build("decompress", "Rewrite a file without compression", McapCompression.None, choice: false);

    private static Command Build(string name, string description, McapCompression compression, bool choice)
    {
        var file = McapFiles.Argument();
        var rewriting = new Rewriting(compression) { Coalescing = ChannelCoalescing.None };
        var command = new Command(name, description) { file };
        rewriting.AddTo(command, choice);
        command.SetAction((parsed, cancellation) =>
            rewriting.RunAsync(parsed, [parsed.GetRequiredValue(file)], new() { Order = MessageOrder.File }, cancellation));
        return command;
    }
}
