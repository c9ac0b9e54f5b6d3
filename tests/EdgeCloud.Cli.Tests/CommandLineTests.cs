using EdgeCloud.Testing;

namespace EdgeCloud.Cli.Tests;

/// <summary>What a script or a hurried person meets when something is wrong: one line that says what to do, and an exit code.</summary>
public sealed class CommandLineTests
{
    [Theory]
    [InlineData("robots")]
    [InlineData("robots", "command", "amr-01", "jump")]
    [InlineData("sessions", "show", "123")]
    [InlineData("sessions", "list", "--state", "asleep")]
    [InlineData("exports", "create")]
    [InlineData("exports", "create", "--session", "0198c2c0-7a3e-7c52-9f10-3b1d5e0a44f2", "--from", "soon")]
    [InlineData("no-such-command")]
    public async Task A_wrong_command_line_is_named_with_the_way_to_help(params string[] arguments)
    {
        var run = await Edgecloud.RunAsync("http://127.0.0.1:1", arguments);

        Assert.Equal(2, run.ExitCode);
        Assert.StartsWith("edgecloud: ", run.Output);
        Assert.Contains("--help", run.Output);
    }

    [Fact]
    public async Task Without_a_login_it_says_how_to_log_in()
    {
        using var home = new TemporaryFolder();

        var run = await Edgecloud.RunAsync(new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = home.Path }, null, "robots", "list");

        Assert.Equal(3, run.ExitCode);
        Assert.Equal("edgecloud: Not logged in: run edgecloud login URL, or set EDGECLOUD_URL and EDGECLOUD_TOKEN.", run.Output);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_named_in_one_line()
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";

        var run = await Edgecloud.RunAsync(url, "robots", "list");

        Assert.Equal(4, run.ExitCode);
        Assert.StartsWith($"edgecloud: {url} cannot be reached", run.Output);
        Assert.DoesNotContain('\n', run.Output);
    }

    [Fact]
    public async Task A_server_that_is_something_else_is_told_from_the_control_plane()
    {
        await using var server = new ScriptedServer(new ScriptedAnswer("<html>Router</html>", "404 Not Found", "text/html"));

        var run = await Edgecloud.RunAsync(server.Url, "robots", "list");

        Assert.Equal(1, run.ExitCode);
        Assert.Equal($"edgecloud: {server.Url} answered 404 Not Found and nothing of EdgeCloud's API: is the address right?", run.Output);
    }

    [Fact]
    public async Task JSON_of_another_shape_is_said_to_be_not_understood()
    {
        await using var server = new ScriptedServer(ScriptedServer.Json("""{"items":[{"robot":7}]}"""));

        var run = await Edgecloud.RunAsync(server.Url, "robots", "list");

        Assert.Equal(1, run.ExitCode);
        Assert.StartsWith($"edgecloud: {server.Url} answered with something that this version does not understand", run.Output);
    }

    [Fact]
    public async Task A_file_behind_an_address_that_does_not_answer_is_named_in_one_line()
    {
        var url = $"http://127.0.0.1:{FreePort.Next()}";
        // One that has the end of a file, and is gone when its start is asked for.
        await using var leaving = new ScriptedServer(new ScriptedAnswer("xxxxxxxxxx", "206 Partial Content", "application/octet-stream\r\nContent-Range: bytes 999990-999999/1000000"));
        await using var refusing = new ScriptedServer(new ScriptedAnswer("no", "403 Forbidden", "text/plain"));

        foreach (var (server, words) in new[]
        {
            (url, "cannot be reached"), (leaving.Url, "cannot be reached"), (refusing.Url, "the server answers 403 Forbidden. Is the address right"),
        })
        {
            var run = await Edgecloud.RunAsync(url, "mcap", "info", $"{server}/a.mcap?signature=secret");

            Assert.True(run.ExitCode == 4, run.Output);
            Assert.StartsWith($"edgecloud: {server}/a.mcap", run.Output);
            Assert.Contains(words, run.Output);
            Assert.DoesNotContain("secret", run.Output);
            Assert.DoesNotContain('\n', run.Output);
        }
    }

    [Theory]
    [InlineData("http://[x/a.mcap")]
    [InlineData("https://")]
    public async Task What_only_looks_like_an_address_is_said_to_be_none(string address)
    {
        var run = await Edgecloud.RunAsync("http://127.0.0.1:1", "mcap", "info", address);

        Assert.Equal(2, run.ExitCode);
        Assert.Equal($"edgecloud: '{address}' is no address of a file; it looks like https://host/path.mcap.", run.Output);
    }

    [Fact]
    public async Task A_kept_address_that_is_none_asks_for_a_new_login()
    {
        using var home = new TemporaryFolder();
        Directory.CreateDirectory(home["edgecloud"]);
        await File.WriteAllTextAsync(home["edgecloud/credentials.json"], """{"url":"http://[x","token":"t"}""", TestContext.Current.CancellationToken);

        var run = await Edgecloud.RunAsync(new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = home.Path }, null, "robots", "list");

        Assert.Equal(3, run.ExitCode);
        Assert.Equal($"edgecloud: {home["edgecloud/credentials.json"]} cannot be read ('http://[x' is no address): run edgecloud login URL again.", run.Output);
    }

    [Fact]
    public async Task A_key_that_the_server_no_longer_knows_asks_for_a_new_login()
    {
        await using var server = new ScriptedServer(ScriptedServer.Problem("401 Unauthorized", "no"));

        var run = await Edgecloud.RunAsync(server.Url, "robots", "list");

        Assert.Equal(3, run.ExitCode);
        Assert.Equal($"edgecloud: {server.Url} does not know this key any more: run edgecloud login {server.Url}", run.Output);
    }

    [Fact]
    public async Task The_servers_own_reason_is_shown()
    {
        await using var server = new ScriptedServer(ScriptedServer.Problem("409 Conflict", "The robot r9 is not known."));

        var run = await Edgecloud.RunAsync(server.Url, "robots", "command", "r9", "start");

        Assert.Equal(1, run.ExitCode);
        Assert.Equal("edgecloud: The robot r9 is not known.", run.Output);
    }
}
