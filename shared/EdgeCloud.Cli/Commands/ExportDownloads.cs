using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary>Fetches the files of an export, each checked by its SHA-256. What is there already is not fetched again.</summary>
internal static class ExportDownloads
{
    private const int AtOnce = 4;
    private static readonly string[] About = ["manifest.json", "README.md"];

    /// <summary>True when <paramref name="output"/> names one file to write and not a folder.</summary>
    public static bool IsFile(string output) => output.EndsWith(".mcap", StringComparison.OrdinalIgnoreCase) && !Directory.Exists(output);

    /// <summary>Fails early where nothing could be written in the end.</summary>
    /// <exception cref="CliException">The folder is missing, or a file is in its place.</exception>
    public static void Check(string output)
    {
        if (IsFile(output))
            Download.CheckTarget(output);
        else if (File.Exists(output))
            throw new CliException($"{output} is a file; --output names the folder to write, or a file that ends in .mcap.", ExitCodes.Usage);
    }

    /// <summary>Fetches into <paramref name="output"/>; returns how many files were fetched.</summary>
    /// <exception cref="CliException">Refused, cut off, not what was announced, or the disk is full.</exception>
    public static async Task<int> FetchAsync(ApiClient api, Guid export, string output, CancellationToken cancellation)
    {
        var files = await api.ListAsync($"exports/{export}/files?limit=1000", ApiJsonContext.Default.PageExportFileView, int.MaxValue, cancellation)
            .ToListAsync(cancellation);
        if (IsFile(output))
        {
            if (files.Where(f => !About.Contains(f.Path)).ToList() is not [var one])
                throw new CliException($"Export {export} has {files.Count} files; name a folder with --output.", ExitCodes.Usage);
            await Download.ToFileAsync(one.Url, output, one.Bytes, one.Sha256, cancellation);
            return 1;
        }
        var fetched = 0;
        await Parallel.ForEachAsync(files, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (file, token) =>
        {
            var target = TargetOf(output, file.Path);
            if (await Download.IsThereAsync(target, file.Bytes, file.Sha256, token))
                return;
            Directory.CreateDirectory(Path.GetDirectoryName(target)!);
            await Download.ToFileAsync(file.Url, target, file.Bytes, file.Sha256, token);
            Interlocked.Increment(ref fetched);
        });
        return fetched;
    }

    private static string TargetOf(string folder, string path)
    {
        var root = Path.TrimEndingDirectorySeparator(Path.GetFullPath(folder)) + Path.DirectorySeparatorChar;
        var target = Path.GetFullPath(Path.Combine(root, path));
        return target.StartsWith(root, StringComparison.Ordinal)
            ? target
            : throw new CliException($"The server names a file '{path}', which is outside of the export; nothing is written there.");
    }
}
