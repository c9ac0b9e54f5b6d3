using System.Security.Cryptography;

namespace EdgeCloud.Cli;

/// <summary>Fetches a file by a presigned link. It has its name only once it is complete.</summary>
internal static class Download
{
    /// <summary>Fails early where the file could not be written in the end.</summary>
    /// <exception cref="CliException">The folder is missing, or the name is a folder's.</exception>
    public static void CheckTarget(string file)
    {
        var folder = Path.GetDirectoryName(Path.GetFullPath(file))!;
        if (!Directory.Exists(folder))
            throw new CliException($"{file} cannot be written: the folder {folder} is not there.", ExitCodes.Usage);
        if (Directory.Exists(file))
            throw new CliException($"{file} is a folder; --output names the file to write.", ExitCodes.Usage);
    }

    /// <summary>True when the file is there already, just as it was announced.</summary>
    public static async Task<bool> IsThereAsync(string file, long bytes, string sha256, CancellationToken cancellation)
    {
        if (new FileInfo(file) is not { Exists: true } info || info.Length != bytes || sha256.Length == 0)
            return false;
        await using var stream = info.OpenRead();
        return Convert.ToHexStringLower(await SHA256.HashDataAsync(stream, cancellation)) == sha256;
    }

    /// <summary>
    /// Streams to a temporary name beside <paramref name="file"/>, checks length and SHA-256 (unless that is empty), and renames.
    /// </summary>
    /// <exception cref="CliException">Refused, cut off, not what was announced, or the disk is full.</exception>
    public static async Task ToFileAsync(string url, string file, long bytes, string sha256, CancellationToken cancellation)
    {
        if (!Uri.TryCreate(url, UriKind.Absolute, out var address))
            throw new CliException($"The server gives '{url}' as the address of a file, which is none; tell its administrator.");
        var server = address.GetLeftPart(UriPartial.Authority);
        try
        {
            using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
            using var response = await http.GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (!response.IsSuccessStatusCode)
                throw new CliException($"{server} refused the download ({(int)response.StatusCode} {response.ReasonPhrase}); the link may have expired, export again.");
            await WriteAsync(file, async target =>
            {
                var sum = await CopyAsync(response, target, cancellation);
                if (target.Length != bytes)
                    throw new CliException($"The download has {target.Length} bytes; {bytes} were announced. Try again.");
                if (sha256.Length > 0 && sum != sha256)
                    throw new CliException($"The download of {file} has the SHA-256 {sum}; {sha256} was announced. Try again.");
            });
        }
        catch (HttpRequestException e)
        {
            throw new CliException($"{server} cannot be reached ({e.Message}): files of exports are downloaded from there. Try again.", ExitCodes.Unreachable, e);
        }
    }

    /// <summary>Fills a file under a temporary name beside <paramref name="file"/>, syncs it, and renames.</summary>
    /// <exception cref="CliException">The disk is full, or the file may not be written.</exception>
    public static async Task WriteAsync(string file, Func<FileStream, Task> fill)
    {
        var temporary = $"{file}.{Environment.ProcessId}.part";
        try
        {
            await using (var target = new FileStream(temporary, FileMode.Create, FileAccess.Write))
            {
                await fill(target);
                target.Flush(flushToDisk: true);
            }
            File.Move(temporary, file, overwrite: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new CliException($"{file} could not be written: {e.Message}", inner: e);
        }
        finally
        {
            File.Delete(temporary);
        }
    }

    private static async Task<string> CopyAsync(HttpResponseMessage response, FileStream target, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        await using var source = await response.Content.ReadAsStreamAsync(cancellation);
        var buffer = new byte[128 << 10];
        for (int read; (read = await source.ReadAsync(buffer, cancellation)) > 0;)
        {
            hash.AppendData(buffer, 0, read);
            await target.WriteAsync(buffer.AsMemory(0, read), cancellation);
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
