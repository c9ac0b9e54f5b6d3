using System.Diagnostics;
using System.Text;
using Xunit;

namespace EdgeCloud.Testing;

/// <summary>
/// Packages from npm that serve tests as second implementations. They are installed once, into <c>.local/npm</c> of the
/// checkout, which git ignores; a test that needs them is skipped where Node.js or the registry cannot be had.
/// </summary>
public static class NodePackages
{
    private static readonly string Folder = Repository.PathTo(".local", "npm");

    /// <summary>Runs a script with packages at hand and returns what it writes to standard output.</summary>
    /// <param name="script">Path of an .mjs file. It is run as a copy beside the packages, so that its imports find them.</param>
    /// <param name="packages">What it imports, as <c>name@version</c>.</param>
    /// <param name="input">Standard input.</param>
    /// <exception cref="InvalidOperationException">The script fails; the message has its error output.</exception>
    public static async Task<string> RunAsync(string script, IReadOnlyCollection<string> packages, string input = "")
    {
        await InstallAsync(packages);
        var copy = Path.Combine(Folder, $"{Path.GetFileNameWithoutExtension(script)}-{Environment.ProcessId}-{Guid.NewGuid():N}.mjs");
        File.Copy(script, copy);
        try
        {
            var (code, output, error) = await StartAsync("node", [copy], input);
            return code == 0 ? output : throw new InvalidOperationException($"node {script} ended with {code}: {error}");
        }
        finally
        {
            File.Delete(copy);
        }
    }

    /// <summary>Makes sure that packages are installed; skips the test, saying why, when they cannot be.</summary>
    /// <param name="packages">As <c>name@version</c>.</param>
    public static async Task InstallAsync(IReadOnlyCollection<string> packages)
    {
        Directory.CreateDirectory(Folder);
        // Test processes run side by side: one installs, the others wait for the lock.
        await using var guard = await FileLock.TakeAsync(Path.Combine(Folder, ".lock"));
        string[] missing = [.. packages.Where(package => !IsInstalled(package))];
        if (missing.Length == 0)
            return;
        try
        {
            var (code, _, error) = await StartAsync("npm", ["install", "--prefix", Folder, "--no-audit", "--no-fund", "--ignore-scripts", .. missing], "");
            if (code != 0)
                Assert.Skip($"npm cannot install {string.Join(", ", missing)}: {error}");
        }
        catch (System.ComponentModel.Win32Exception e)
        {
            Assert.Skip($"Node.js is not installed ({e.Message}); this test compares with {string.Join(", ", missing)}.");
        }
    }

    private static bool IsInstalled(string package)
    {
        var at = package.LastIndexOf('@');
        var manifest = Path.Combine([Folder, "node_modules", .. package[..at].Split('/'), "package.json"]);
        return File.Exists(manifest) && File.ReadAllText(manifest).Contains($"\"version\": \"{package[(at + 1)..]}\"", StringComparison.Ordinal);
    }

    private static async Task<(int Code, string Output, string Error)> StartAsync(string file, IEnumerable<string> arguments, string input)
    {
        var start = new ProcessStartInfo(file, arguments)
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            StandardInputEncoding = new UTF8Encoding(false),
            StandardOutputEncoding = Encoding.UTF8,
        };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // It ended without reading everything; its exit code and error output tell why.
        }

        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }
}
