using System.Diagnostics;

namespace EdgeCloud.Testing;

/// <summary>Runs a script of <c>infra/stack</c>, the one place that knows how the servers are started.</summary>
internal static class StackScript
{
    /// <summary>Starts a server that ends with this process at the latest, however this process ends.</summary>
    public static Task StartAsync(string script, string folder, params string[] options) =>
        RunAsync(script, ["start", "--dir", folder, "--owner", Environment.ProcessId.ToString(), .. options]);

    /// <summary>Runs the script to its end.</summary>
    /// <exception cref="InvalidOperationException">It failed; the text is what it said.</exception>
    public static async Task RunAsync(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo(Repository.PathTo("infra", "stack", script), arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync();
        var error = await process.StandardError.ReadToEndAsync();
        await output;
        await process.WaitForExitAsync();
        if (process.ExitCode != 0)
            throw new InvalidOperationException(error.Trim());
    }

    /// <summary>A folder that other users may enter, since a server runs as its own user when the tests run as root.</summary>
    public static string NewFolder(string server) =>
        Path.Combine(Path.GetTempPath(), $"edgecloud-{server}-{Environment.ProcessId}-{Guid.NewGuid():N}"[..40]);

    public static string ReadLine(string folder, string file) => File.ReadLines(Path.Combine(folder, file)).First();
}
