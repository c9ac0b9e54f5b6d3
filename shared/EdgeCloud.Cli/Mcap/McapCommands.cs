using System.CommandLine;

namespace EdgeCloud.Cli.Mcap;

/// <summary>The commands for MCAP files: <c>edgecloud mcap ...</c>, with the meaning that users of the public <c>mcap</c> tool expect.</summary>
public static class McapCommands
{
    /// <summary>The command <c>mcap</c> with all its commands.</summary>
    public static Command Build() => new("mcap", "Inspect, check, repair and rewrite MCAP files")
    {
        InfoCommand.Build(),
        ListCommand.Build(),
        CatCommand.Build(),
        RecordsCommand.Build(),
        DoctorCommand.Build(),
        RecoverCommand.Build(),
        FilterCommand.Build(),
        MergeCommand.Build(),
        SortCommand.Build(),
        CompressCommand.Build(),
        CompressCommand.BuildDecompress(),
        DuCommand.Build(),
    };
}
