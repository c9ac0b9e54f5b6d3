using System.CommandLine;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Cli.Mcap;

/// <summary>Opens files and addresses for the commands, with errors that name them.</summary>
internal static class McapFiles
{
    private static readonly HttpClient Http = new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5) })
    {
        Timeout = TimeSpan.FromMinutes(5),
    };

    /// <summary>The argument of a command that reads one file.</summary>
    public static Argument<string> Argument() => new("file") { Description = "MCAP file, or http(s) address of one" };

    /// <summary>The argument of a command that reads several files.</summary>
    public static Argument<string[]> Arguments() =>
        new("files") { Description = "MCAP files, or http(s) addresses of such", Arity = ArgumentArity.OneOrMore };

    /// <summary>Opens a file, or an address whose server honours ranges.</summary>
    public static async Task<IByteSource> OpenSourceAsync(string file, CancellationToken cancellation)
    {
        if (file.StartsWith("http://", StringComparison.Ordinal) || file.StartsWith("https://", StringComparison.Ordinal))
        {
            return Uri.TryCreate(file, UriKind.Absolute, out var address)
                ? await HttpByteSource.OpenAsync(Http, address, cancellationToken: cancellation)
                : throw new CliException($"'{file}' is no address of a file; it looks like https://host/path.mcap.", ExitCodes.Usage);
        }
        OpenStream(file).Dispose();
        return new FileByteSource(file);
    }

    /// <summary>Opens a file by its index; scans it when the index does not suffice.</summary>
    public static async Task<McapIndexedReader> OpenAsync(string file, CancellationToken cancellation, bool completeIndexes = false)
    {
        var source = await OpenSourceAsync(file, cancellation);
        try
        {
            return await McapIndexedReader.OpenAsync(source, new() { CompleteIndexes = completeIndexes }, leaveOpen: false, cancellation);
        }
        catch (McapTruncatedException e)
        {
            if (File.Exists(file) && !MayBeMcap(file))
                throw new CliException($"{file}: this is no MCAP file.", inner: e);
            throw new CliException($"{e.Message}. If its recorder was interrupted, 'edgecloud mcap recover' makes it readable.", inner: e);
        }
    }

    /// <summary>Whether a file begins as MCAP files do, as far as it goes.</summary>
    private static bool MayBeMcap(string file)
    {
        using var stream = OpenStream(file);
        Span<byte> start = stackalloc byte[McapFormat.Magic.Length];
        return McapFormat.Magic.StartsWith(start[..stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false)]);
    }

    /// <summary>Opens a local file for reading from start to end; says so when it is a pointer that Git LFS has not replaced by the file.</summary>
    public static FileStream OpenStream(string file)
    {
        if (Directory.Exists(file))
            throw new CliException($"{file}: this is a folder; name an MCAP file.");
        if (!File.Exists(file))
            throw new CliException($"{file}: there is no such file.");
        var stream = new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
        Span<byte> start = stackalloc byte[24];
        var read = stream.ReadAtLeast(start, start.Length, throwOnEndOfStream: false);
        stream.Position = 0;
        if (!start[..read].SequenceEqual("version https://git-lfs."u8))
            return stream;
        stream.Dispose();
        throw new CliException($"{file}: this is a Git LFS pointer, not an MCAP file; fetch the file with 'git lfs pull'.");
    }
}
