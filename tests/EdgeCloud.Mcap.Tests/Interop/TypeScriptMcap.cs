using System.Diagnostics;
using System.Runtime.CompilerServices;
using EdgeCloud.Testing;

namespace EdgeCloud.Mcap.Tests.Interop;

/// <summary>The TypeScript implementation of MCAP, run by node. Its packages are installed once into <c>.local/npm/mcap</c> of the checkout.</summary>
internal static class TypeScriptMcap
{
    private static readonly string[] Packages = ["@mcap/core@2.2.2", "@mcap/support@1.1.0"];
    private static readonly Lazy<Task<string?>> Missing = new(InstallAsync);

    private static string Folder => Repository.PathTo(".local", "npm", "mcap");

    /// <summary>Runs the script; skips the test, saying why, where node or the packages cannot be had.</summary>
    public static async Task<string> RunAsync(params IEnumerable<string> arguments)
    {
        if (await Missing.Value is { } reason)
            Assert.Skip(reason);
        var (code, output, error) = await StartAsync("node", [Script(), Path.Combine(Folder, "node_modules"), .. arguments]);
        Assert.True(code == 0, error);
        return output;
    }

    private static async Task<string?> InstallAsync()
    {
        var stamp = Path.Combine(Folder, "installed");
        var wanted = string.Join(' ', Packages);
        if (File.Exists(stamp) && await File.ReadAllTextAsync(stamp) == wanted)
            return null;
        Directory.CreateDirectory(Folder);
        try
        {
            var (code, _, error) = await StartAsync("npm", ["install", "--prefix", Folder, "--no-audit", "--no-fund", "--fetch-retries=1", .. Packages]);
            if (code != 0)
                return $"npm cannot install {wanted}: {error.Trim()}";
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            return $"node and npm are needed to compare with the TypeScript implementation: {e.Message}";
        }
        await File.WriteAllTextAsync(stamp, wanted);
        return null;
    }

    private static string Script([CallerFilePath] string here = "") =>
        File.Exists(Path.Combine(AppContext.BaseDirectory, "Interop", "interop.mjs"))
            ? Path.Combine(AppContext.BaseDirectory, "Interop", "interop.mjs")
            : Path.Combine(Path.GetDirectoryName(here)!, "interop.mjs");

    private static async Task<(int Code, string Output, string Error)> StartAsync(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
