using EdgeCloud.Testing;

namespace EdgeCloud.Cli.Tests;

/// <summary>A finished run of the program.</summary>
/// <param name="ExitCode">Exit code.</param>
/// <param name="Output">Standard output and error together.</param>
internal sealed record Edgecloud(int ExitCode, string Output)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>Runs it with a key for <paramref name="url"/> in the environment.</summary>
    public static Task<Edgecloud> RunAsync(string url, params string[] arguments) =>
        RunAsync(new Dictionary<string, string> { ["EDGECLOUD_URL"] = url, ["EDGECLOUD_TOKEN"] = "key" }, null, arguments);

    public static async Task<Edgecloud> RunAsync(IReadOnlyDictionary<string, string> environment, string? input, params string[] arguments)
    {
        await using var process = ProductProcess.StartCli(arguments, environment, input);
        var code = await process.WaitForExitAsync(Deadline);
        return new Edgecloud(code, process.Output);
    }
}
