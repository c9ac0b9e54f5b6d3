using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using EdgeCloud.Testing;

namespace EdgeCloud.Cli.Tests;

/// <summary>JSON for scripts, tables for people, files that are whole or not there.</summary>
public sealed class OutputTests : IDisposable
{
    private const string Session = "0198c2c0-7a3e-7c52-9f10-3b1d5e0a44f2";
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_list_of_several_pages_is_one_JSON_array()
    {
        await using var server = new ScriptedServer(
            ScriptedServer.Json("""{"items":[{"robot":"r1","online":true}],"next_cursor":"a b"}"""),
            ScriptedServer.Json("""{"items":[{"robot":"r2","online":false}],"next_cursor":null}"""));

        var run = await Edgecloud.RunAsync(server.Url, "robots", "list", "--json");

        Assert.Equal(0, run.ExitCode);
        using var array = JsonDocument.Parse(run.Output);
        Assert.Equal(["r1", "r2"], array.RootElement.EnumerateArray().Select(r => r.GetProperty("robot").GetString()!));
        Assert.StartsWith("GET /api/v1/robots?cursor=a%20b ", server.Requests[1]);
    }

    [Fact]
    public async Task A_table_shows_names_as_they_are()
    {
        await using var server = new ScriptedServer(ScriptedServer.Json(
            $$"""{"items":[{"session":"{{Session}}","robot":"r1","name":"[red]night[/]","state":"finished","started_at":"2026-11-21T22:00:00Z"}]}"""));

        var run = await Edgecloud.RunAsync(server.Url, "sessions", "list", "--limit", "5");

        Assert.Equal(0, run.ExitCode);
        Assert.Contains("[red]night[/]", run.Output);
        Assert.Contains("2026-11-21 22:00:00Z", run.Output);
        Assert.StartsWith("GET /api/v1/sessions?limit=5 ", server.Requests[0]);
    }

    [Fact]
    public async Task A_command_that_the_robot_rejects_fails_with_its_reason()
    {
        await using var server = new ScriptedServer(
            ScriptedServer.Json(Command("queued", "")), ScriptedServer.Json(Command("rejected", "no session is paused")));

        var run = await Edgecloud.RunAsync(server.Url, "robots", "command", "r1", "resume");

        Assert.Equal(1, run.ExitCode);
        Assert.Contains("resume rejected: no session is paused", run.Output);
    }

    [Fact]
    public async Task A_command_without_an_answer_in_time_has_an_exit_code_of_its_own()
    {
        await using var server = new ScriptedServer([.. Enumerable.Repeat(ScriptedServer.Json(Command("queued", "")), 100)]);

        var run = await Edgecloud.RunAsync(server.Url, "robots", "command", "r1", "resume", "--timeout", "0.5");

        Assert.Equal(5, run.ExitCode);
        Assert.Contains("has not answered yet", run.Output);
    }

    [Fact]
    public async Task An_export_is_awaited_and_downloaded()
    {
        await using var server = new ScriptedServer(
            ScriptedServer.Json(Export("queued")), ScriptedServer.Json(Export("running")), ScriptedServer.Json(Export("succeeded")),
            ScriptedServer.Json(Files(("part.mcap", "0123456789"))), new ScriptedAnswer("0123456789", "200 OK", "application/octet-stream"));
        await File.WriteAllTextAsync(_folder["out.mcap"], "an older file", TestContext.Current.CancellationToken);

        var run = await Edgecloud.RunAsync(
            server.Url, "exports", "create", "--session", Session, "--format", "mcap", "--wait", "--output", _folder["out.mcap"]);

        Assert.Equal(0, run.ExitCode);
        Assert.Equal("0123456789", await File.ReadAllTextAsync(_folder["out.mcap"], TestContext.Current.CancellationToken));
        Assert.Equal(["out.mcap"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Fact]
    public async Task A_download_that_breaks_off_leaves_what_was_there_before()
    {
        await using var server = new ScriptedServer(
            ScriptedServer.Json(Export("succeeded")), ScriptedServer.Json(Files(("part.mcap", "0123456789"))),
            new ScriptedAnswer("01234", "200 OK", "application/octet-stream", Length: 10));
        await File.WriteAllTextAsync(_folder["out.mcap"], "an older file", TestContext.Current.CancellationToken);

        var run = await Edgecloud.RunAsync(server.Url, "exports", "create", "--session", Session, "--output", _folder["out.mcap"]);

        Assert.NotEqual(0, run.ExitCode);
        Assert.StartsWith("edgecloud: ", run.Output);
        Assert.DoesNotContain('\n', run.Output);
        Assert.Equal("an older file", await File.ReadAllTextAsync(_folder["out.mcap"], TestContext.Current.CancellationToken));
        Assert.Equal(["out.mcap"], Directory.GetFiles(_folder.Path).Select(Path.GetFileName));
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/bucket/part.mcap?signature=secret", "edgecloud: http://127.0.0.1:1 cannot be reached (Connection refused (127.0.0.1:1)): files of exports are downloaded from there. Try again.", 4)]
    [InlineData("part.mcap", "edgecloud: The server gives 'part.mcap' as the address of a file, which is none; tell its administrator.", 1)]
    public async Task A_download_from_where_nothing_is_says_so_in_one_line(string link, string expected, int code)
    {
        await using var server = new ScriptedServer(
            ScriptedServer.Json(Files(("part.mcap", "0123456789")).Replace("{url}/file", link)));

        var run = await Edgecloud.RunAsync(server.Url, "exports", "download", Session, "--output", _folder["out.mcap"]);

        Assert.Equal((code, expected), (run.ExitCode, run.Output));
    }

    [Theory]
    [InlineData("data")]
    [InlineData("data/")]
    public async Task An_export_of_several_files_is_downloaded_into_a_folder_and_what_is_there_already_is_not_fetched_again(string folder)
    {
        await using var server = new ScriptedServer(
            ScriptedServer.Json(Files(("a/there.parquet", "there"), ("manifest.json", "{}"))),
            new ScriptedAnswer("{}", "200 OK", "application/json"));
        Directory.CreateDirectory(_folder["data/a"]);
        await File.WriteAllTextAsync(_folder["data/a/there.parquet"], "there", TestContext.Current.CancellationToken);

        var run = await Edgecloud.RunAsync(server.Url, "exports", "download", Session, "--output", _folder[folder]);

        Assert.True(run.ExitCode == 0, run.Output);
        Assert.Contains("1 file(s)", run.Output);
        Assert.Equal("{}", await File.ReadAllTextAsync(_folder["data/manifest.json"], TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("../outside", "0123456789", "outside of the export")]
    [InlineData("inside", "something else", "SHA-256")]
    public async Task A_file_that_lies_outside_or_is_not_what_was_announced_is_not_kept(string path, string announced, string words)
    {
        await using var server = new ScriptedServer(
            ScriptedServer.Json(Files((path, announced)).Replace($"\"bytes\":{announced.Length}", "\"bytes\":10")),
            new ScriptedAnswer("0123456789", "200 OK", "application/octet-stream"));

        var run = await Edgecloud.RunAsync(server.Url, "exports", "download", Session, "--output", _folder["data"]);

        Assert.Equal(1, run.ExitCode);
        Assert.Contains(words, run.Output);
        Assert.Empty(Directory.GetFiles(_folder.Path, "*", SearchOption.AllDirectories));
    }

    [Fact]
    public async Task An_export_that_fails_says_why()
    {
        await using var server = new ScriptedServer(ScriptedServer.Json(Export("failed", "segment 3 is not in the bucket")));

        var run = await Edgecloud.RunAsync(server.Url, "exports", "create", "--session", Session, "--wait");

        Assert.Equal(1, run.ExitCode);
        Assert.EndsWith("failed: segment 3 is not in the bucket.", run.Output);
    }

    [Fact]
    public async Task A_folder_that_is_not_there_is_said_before_anything_is_exported()
    {
        await using var server = new ScriptedServer(ScriptedServer.Json(Export("queued")));

        var run = await Edgecloud.RunAsync(server.Url, "exports", "create", "--session", Session, "--output", _folder["nowhere/out.mcap"]);

        Assert.Equal(2, run.ExitCode);
        Assert.Empty(server.Requests);
    }

    private static string Files(params (string Path, string Content)[] files) =>
        $$"""{"items":[{{string.Join(',', files.Select(f =>
            $$"""{"path":"{{f.Path}}","bytes":{{f.Content.Length}},"sha256":"{{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(f.Content)))}}","url":"{url}/file"}"""))}}],"next_cursor":null}""";

    private static string Command(string status, string reason) =>
        $$"""
        {"id":"{{Session}}","robot":"r1","command":"resume","status":"{{status}}","reason":"{{reason}}","issuer":"user:ada",
         "issued_at":"2026-11-21T22:00:00Z","expires_at":"2026-11-21T22:05:00Z","updated_at":"2026-11-21T22:00:00Z"}
        """;

    private static string Export(string state, string error = "") =>
        $$"""
        {"id":"{{Session}}","request":{"sessions":["{{Session}}"]},"state":"{{state}}","bytes":10,"messages":1,"error":"{{error}}","owner":"ada",
         "created_at":"2026-11-21T22:00:00Z","download_url":"{url}/file"}
        """;
}
