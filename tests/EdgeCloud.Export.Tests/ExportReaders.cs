using System.Diagnostics;
using System.Runtime.CompilerServices;
using System.Text.Json;
using EdgeCloud.Testing;

namespace EdgeCloud.Export.Tests;

/// <summary>Other implementations that open what was exported: NumPy, Python's csv and json, a TFRecord reader, hyparquet, @mcap/core.</summary>
internal static class ExportReaders
{
    // Debian's, which has NumPy and Pillow; another Python on the path need not.
    private const string Python = "/usr/bin/python3";

    /// <summary>Digests of all values, as <c>table stream</c> to <c>count first last sha256</c>.</summary>
    public static async Task<SortedDictionary<string, string>> DigestsAsync(string folder, string format)
    {
        var json = format == "parquet"
            ? await NodePackages.RunAsync(Script("read_parquet.mjs"), ["hyparquet@1.31.5", "hyparquet-compressors@1.1.2"], folder)
            : await PythonAsync(Script("read_export.py"), folder);
        var digests = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var table in JsonDocument.Parse(json).RootElement.EnumerateObject())
        {
            foreach (var stream in table.Value.EnumerateObject())
                digests[$"{table.Name} {stream.Name}"] = string.Join(' ', stream.Value.EnumerateArray().Select(v => v.ToString()));
        }
        return digests;
    }

    /// <summary>What @mcap/core finds in files: for each topic type, count, first and last log time and a digest.</summary>
    public static Task<string> McapAsync(params IEnumerable<string> files) =>
        NodePackages.RunAsync(Script("read_mcap.mjs"), ["@mcap/core@2.2.2", "@mcap/support@1.1.0"], string.Join('\n', files));

    /// <summary>Runs Debian's Python; skips the test where it has no NumPy or Pillow.</summary>
    public static async Task<string> PythonAsync(params IEnumerable<string> arguments)
    {
        if (!File.Exists(Python) || (await RunAsync(["-c", "import numpy, PIL"])).Code != 0)
            Assert.Skip("Debian's python3-numpy and python3-pil open the exported files; infra/packages --tests installs them.");
        var (code, output, error) = await RunAsync(arguments);
        Assert.True(code == 0, error);
        return output;
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(IEnumerable<string> arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(Python, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })!;
        var (output, error) = (process.StandardOutput.ReadToEndAsync(), process.StandardError.ReadToEndAsync());
        await process.WaitForExitAsync();
        return (process.ExitCode, await output, await error);
    }

    private static string Script(string name, [CallerFilePath] string here = "") =>
        Path.Combine(Repository.Root, "tests", "EdgeCloud.Export.Tests", "Readers", name) is var path && File.Exists(path)
            ? path
            : Path.Combine(Path.GetDirectoryName(here)!, "Readers", name);
}
