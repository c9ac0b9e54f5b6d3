using System.Text.Json;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Tests;

/// <summary><c>robots command</c> says to the API what its contract has a word for.</summary>
public sealed class RobotsCommandTests
{
    private const string Id = "0198c2c0-7a3e-7c52-9f10-3b1d5e0a44f2";

    public static TheoryData<CommandKind> Kinds => [.. Enum.GetValues<CommandKind>()];

    [Theory, MemberData(nameof(Kinds))]
    public async Task Whatever_a_robot_can_be_told_can_be_said(CommandKind kind)
    {
        var word = kind.ToString().ToLowerInvariant();
        string[] arguments = kind == CommandKind.Fetch ? ["sessions", "fetch", Id] : ["robots", "command", "r1", word];
        await using var server = new ScriptedServer(ScriptedServer.Json(Answer(word)));

        var run = await Edgecloud.RunAsync(server.Url, arguments);

        Assert.True(run.ExitCode == 0, run.Output);
        if (kind != CommandKind.Fetch)
            Assert.Equal(kind, Request(server).Command);
    }

    [Fact]
    public async Task A_trigger_says_why_and_how_much_to_keep()
    {
        await using var server = new ScriptedServer(ScriptedServer.Json(Answer("trigger")));

        var run = await Edgecloud.RunAsync(
            server.Url, "robots", "command", "r1", "trigger", "--session", Id, "--name", "hard stop", "--pre", "5", "--expires-in", "60");

        Assert.True(run.ExitCode == 0, run.Output);
        Assert.StartsWith("POST /api/v1/robots/r1/commands ", server.Requests[0]);
        Assert.Equal(
            new CommandRequest
            {
                Command = CommandKind.Trigger,
                Session = Guid.Parse(Id),
                Name = "hard stop",
                Span = new TriggerSpan { PreSeconds = 5, PostSeconds = 10 },
                ExpiresInSeconds = 60,
            },
            Request(server));
    }

    [Fact]
    public async Task A_start_may_begin_paused()
    {
        await using var server = new ScriptedServer(ScriptedServer.Json(Answer("start")));

        var run = await Edgecloud.RunAsync(server.Url, "robots", "command", "r1", "start", "--paused");

        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Equal(new CommandRequest { Command = CommandKind.Start, StartPaused = true }, Request(server));
    }

    private static CommandRequest Request(ScriptedServer server)
    {
        var request = server.Requests[0];
        return JsonSerializer.Deserialize(request[request.IndexOf('{')..(request.LastIndexOf('}') + 1)], ApiJsonContext.Default.CommandRequest)!;
    }

    private static string Answer(string word) =>
        $$"""
        {"id":"{{Id}}","robot":"r1","command":"{{word}}","status":"succeeded","issuer":"user:ada",
         "issued_at":"2026-11-21T22:00:00Z","expires_at":"2026-11-21T22:05:00Z","updated_at":"2026-11-21T22:00:00Z"}
        """;
}
