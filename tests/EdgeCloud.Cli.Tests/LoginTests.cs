using System.Runtime.Versioning;
using EdgeCloud.Testing;

namespace EdgeCloud.Cli.Tests;

/// <summary>Where passwords and keys go, and where they do not.</summary>
[SupportedOSPlatform("linux")]
public sealed class LoginTests : IDisposable
{
    private const string Answer = """{"token":"secret-key","user":"ada","roles":["operator"],"expires_at":"2027-01-01T00:00:00Z"}""";
    private readonly TemporaryFolder _home = new();

    public void Dispose() => _home.Dispose();

    [Fact]
    public async Task The_password_comes_from_standard_input_and_the_key_is_kept_for_this_user_alone()
    {
        await using var server = new ScriptedServer(ScriptedServer.Json(Answer), ScriptedServer.Json("""{"items":[]}"""));

        var login = await RunAsync("open sesame\n", "login", server.Url, "--user", "ada");
        var list = await RunAsync(null, "robots", "list", "--json");

        Assert.Equal((0, 0), (login.ExitCode, list.ExitCode));
        Assert.Equal("[]", list.Output);
        Assert.Contains("open sesame", server.Requests[0]);
        Assert.Contains("Authorization: Bearer secret-key", server.Requests[1]);
        var file = _home["edgecloud/credentials.json"];
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
        Assert.DoesNotContain("open sesame", await File.ReadAllTextAsync(file, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_wrong_password_is_one_line_and_keeps_nothing()
    {
        await using var server = new ScriptedServer(ScriptedServer.Problem("401 Unauthorized", "User or password is wrong."));

        var run = await RunAsync("wrong\n", "login", server.Url, "--user", "ada");

        Assert.Equal(3, run.ExitCode);
        Assert.Equal("edgecloud: User or password is wrong.", run.Output);
        Assert.False(File.Exists(_home["edgecloud/credentials.json"]));
    }

    [Fact]
    public async Task A_kept_key_is_never_sent_to_another_address()
    {
        await using var server = new ScriptedServer(ScriptedServer.Json(Answer));
        await RunAsync("x\n", "login", server.Url, "--user", "ada");
        await using var other = new ScriptedServer(ScriptedServer.Json("""{"items":[]}"""));

        var run = await Edgecloud.RunAsync(
            new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = _home.Path, ["EDGECLOUD_URL"] = other.Url }, null, "robots", "list");

        Assert.Equal(3, run.ExitCode);
        Assert.Empty(other.Requests);
    }

    private Task<Edgecloud> RunAsync(string? input, params string[] arguments) =>
        Edgecloud.RunAsync(new Dictionary<string, string> { ["XDG_CONFIG_HOME"] = _home.Path }, input, arguments);
}
