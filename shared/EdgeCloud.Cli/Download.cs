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

    /// <summary>Streams to a temporary name beside <paramref name="file"/>, checks the length, and renames.</summary>
    /// <exception cref="CliException">Refused, cut off, or the disk is full.</exception>
    public static async Task ToFileAsync(string url, string file, long bytes, CancellationToken cancellation)
    {
        var temporary = $"{file}.{Environment.ProcessId}.part";
        try
        {
            using var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
            using var response = await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, cancellation);
            if (!response.IsSuccessStatusCode)
                throw new CliException($"The download was refused ({(int)response.StatusCode} {response.ReasonPhrase}); the link may have expired, export again.");
            await using (var target = new FileStream(temporary, FileMode.Create, FileAccess.Write))
            {
                await response.Content.CopyToAsync(target, cancellation);
                target.Flush(flushToDisk: true);
                if (target.Length != bytes)
                    throw new CliException($"The download has {target.Length} bytes; {bytes} were announced. Try again.");
            }
            File.Move(temporary, file, overwrite: true);
        }
        catch (HttpRequestException e)
        {
            throw new CliException($"The download failed: {e.Message}", ExitCodes.Unreachable, e);
        }
        catch (IOException e)
        {
            throw new CliException($"{file} could not be written: {e.Message}", inner: e);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new CliException($"{file} could not be written: {e.Message}", inner: e);
        }
        finally
        {
            File.Delete(temporary);
        }
    }
}
