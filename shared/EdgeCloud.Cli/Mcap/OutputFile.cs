using System.CommandLine;

namespace EdgeCloud.Cli.Mcap;

/// <summary>Where a command writes a file: under another name that becomes the real one when the file is complete, or to standard output.</summary>
internal sealed class OutputFile : IAsyncDisposable
{
    private readonly string? _path;
    private readonly string? _partial;
    private bool _complete;

    private OutputFile(string? path)
    {
        _path = path;
        _partial = path is null ? null : $"{path}.{Environment.ProcessId}.part";
        Stream = _partial is null ? Console.OpenStandardOutput() : new FileStream(_partial, FileMode.Create, FileAccess.ReadWrite, FileShare.Read, bufferSize: 0);
    }

    /// <summary>Takes the file's bytes.</summary>
    public Stream Stream { get; }

    /// <summary>The option that names the file.</summary>
    public static Option<string?> Option() => new("--output", "-o") { Description = "File to write; without it the file goes to standard output" };

    /// <summary>Opens what the option names.</summary>
    /// <param name="path">The option's value.</param>
    /// <param name="inputs">Files that are read meanwhile and must not be written.</param>
    public static OutputFile Open(string? path, params IEnumerable<string> inputs)
    {
        if (path is null && !Console.IsOutputRedirected)
            throw new CliException("An MCAP file would be written to the terminal: name a file with -o.", ExitCodes.Usage);
        if (path is not null && inputs.Any(input => Path.GetFullPath(input) == Path.GetFullPath(path)))
            throw new CliException($"{path} is read and cannot be written at the same time: name another file.", ExitCodes.Usage);
        return new OutputFile(path);
    }

    /// <summary>Gives the file its name.</summary>
    public async Task CompleteAsync(CancellationToken cancellation)
    {
        await Stream.FlushAsync(cancellation);
        await Stream.DisposeAsync();
        if (_partial is not null)
            File.Move(_partial, _path!, overwrite: true);
        _complete = true;
    }

    /// <summary>Removes a file that was not completed.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_complete)
            return;
        await Stream.DisposeAsync();
        if (_partial is not null)
            File.Delete(_partial);
    }
}
