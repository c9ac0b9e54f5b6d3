using System.CommandLine;
using EdgeCloud.Cli;
using EdgeCloud.Cli.Commands;
using EdgeCloud.Cli.Export;
using EdgeCloud.Cli.Mcap;

var root = new RootCommand("EdgeCloud: robots, their recordings, and datasets made of them.")
{
    LoginCommand.Create(),
    LoginCommand.CreatePassword(),
    SystemCommand.CreateMe(),
    RobotsCommand.Create(),
    SessionsCommand.Create(),
    SegmentsCommand.Create(),
    SystemCommand.CreateTopics(),
    PreviewCommand.Create(),
    ExportsCommand.Create(),
    RecipesCommand.Create(),
    TagsCommand.Create(),
    NotesCommand.Create(),
    EventsCommand.Create(),
    ViewsCommand.Create(),
    KeysCommand.Create(),
    UsersCommand.Create(),
    WebhooksCommand.Create(),
    AuditCommand.Create(),
    SystemCommand.Create(),
    McapCommands.Build(),
    ExportCommand.Build(),
};
return await CommandLine.RunAsync(root, args);
