using System.CommandLine;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;
using ParseResult = System.CommandLine.ParseResult;

namespace EdgeCloud.Cli.Mcap;

/// <summary>The options of every command that writes a file, and the writing: messages of one or more files into one.</summary>
internal sealed class Rewriting
{
    private readonly Option<string?> _output = OutputFile.Option();
    private readonly Option<McapCompression> _compression;
    private readonly Option<int> _level = new("--compression-level")
    {
        Description = "zstd: -7 (fastest) to 22; lz4: 1 to 12",
        DefaultValueFactory = _ => 1,
    };
    private readonly Option<int> _chunkSize = new("--chunk-size") { Description = "Bytes of a chunk before compression", DefaultValueFactory = _ => 4 << 20 };
    private readonly Option<bool> _noCrc = new("--no-crc") { Description = "Leave out the CRCs" };

    public Rewriting(McapCompression compression = McapCompression.Zstd) =>
        _compression = new("--compression") { Description = "zstd, lz4 or none", DefaultValueFactory = _ => compression };

    /// <summary>What goes into the file beside its messages.</summary>
    public bool Attachments { get; set; } = true;

    /// <summary>What goes into the file beside its messages.</summary>
    public bool Metadata { get; set; } = true;

    /// <summary>Which channels of several files become one.</summary>
    public ChannelCoalescing Coalescing { get; set; }

    /// <summary>Whether metadata records of one name with different contents are all kept rather than refused.</summary>
    public bool DuplicateMetadata { get; set; } = true;

    public void AddTo(Command command, bool compression = true)
    {
        Option[] all = compression ? [_output, _compression, _level, _chunkSize, _noCrc] : [_output, _chunkSize, _noCrc];
        foreach (var option in all)
            command.Options.Add(option);
    }

    /// <summary>Reads <paramref name="files"/> and writes the messages that <paramref name="options"/> select.</summary>
    public async Task RunAsync(ParseResult parsed, string[] files, McapReadOptions options, CancellationToken cancellation)
    {
        var readers = new List<McapIndexedReader>();
        try
        {
            foreach (var file in files)
                readers.Add(await McapFiles.OpenAsync(file, cancellation, completeIndexes: Attachments || Metadata));
            await using var target = OutputFile.Open(parsed.GetValue(_output), files);
            var profiles = new List<string>();
            foreach (var reader in readers)
                profiles.Add((await reader.ReadHeaderAsync(cancellation)).Profile);
            await using (var writer = new McapWriter(target.Stream, OptionsOf(parsed, profiles), leaveOpen: true))
            {
                try
                {
                    await CopyAsync(readers, writer, options, cancellation);
                    await writer.FinishAsync(cancellation);
                }
                catch (Exception e)
                {
                    writer.Abandon(e); // what went to standard output must not look whole
                    throw;
                }
            }
            await target.CompleteAsync(cancellation);
        }
        finally
        {
            foreach (var reader in readers)
                await reader.DisposeAsync();
        }
    }

    private McapWriterOptions OptionsOf(ParseResult parsed, List<string> profiles)
    {
        var crc = !parsed.GetValue(_noCrc);
        var chunkBytes = parsed.GetValue(_chunkSize);
        if (chunkBytes <= 0)
            throw new CliException($"--chunk-size: expected a number of bytes above 0, found {chunkBytes}.", ExitCodes.Usage);
        return new()
        {
            Profile = profiles.Distinct().Count() == 1 ? profiles[0] : "",
            Library = "edgecloud",
            Compression = parsed.GetValue(_compression),
            CompressionLevel = parsed.GetValue(_level),
            ChunkBytes = chunkBytes,
            ChunkCrc = crc,
            DataSectionCrc = crc,
            Summary = new() { SummaryCrc = crc },
        };
    }

    private async Task CopyAsync(List<McapIndexedReader> readers, McapWriter writer, McapReadOptions options, CancellationToken cancellation)
    {
        if (Metadata)
            await CopyMetadataAsync(readers, writer, cancellation);
        var union = new ChannelUnion(writer, Coalescing);
        for (var file = 0; file < readers.Count; file++)
        {
            foreach (var channel in readers[file].Channels.Values.OrderBy(channel => channel.Id).Where(options.Selects))
                union.IdOf(file, channel, readers[file].Schemas.GetValueOrDefault(channel.SchemaId));
        }
        if (readers.Count == 1)
        {
            await foreach (var message in readers[0].ReadMessages(options).WithCancellation(cancellation))
                await WriteAsync(0, message);
        }
        else
        {
            await foreach (var (file, message) in new McapMerge(readers, options).WithCancellation(cancellation))
                await WriteAsync(file, message);
        }
        if (Attachments)
            await CopyAttachmentsAsync(readers, writer, cancellation);

        ValueTask WriteAsync(int file, Message message)
        {
            var channel = readers[file].Channels[message.ChannelId];
            var id = union.IdOf(file, channel, readers[file].Schemas.GetValueOrDefault(channel.SchemaId));
            return writer.WriteMessageAsync(id, message.Sequence, message.LogTime, message.PublishTime, message.Data.Span, cancellation);
        }
    }

    private async Task CopyMetadataAsync(List<McapIndexedReader> readers, McapWriter writer, CancellationToken cancellation)
    {
        var written = new Dictionary<string, List<Metadata>>();
        foreach (var reader in readers)
        {
            foreach (var index in reader.Summary.MetadataIndexes)
            {
                var record = await reader.ReadMetadataAsync(index, cancellation);
                if (!written.TryGetValue(record.Name, out var same))
                    written.Add(record.Name, same = []);
                if (readers.Count > 1 && same.Exists(other => other.Pairs.OrderBy(pair => pair.Key).SequenceEqual(record.Pairs.OrderBy(pair => pair.Key))))
                    continue;
                if (readers.Count > 1 && same.Count > 0 && !DuplicateMetadata)
                    throw new CliException($"{reader.Source.Name}: another file has a different metadata record '{record.Name}'; --allow-duplicate-metadata keeps both.");
                same.Add(record);
                writer.Write(record);
            }
        }
    }

    private static async Task CopyAttachmentsAsync(List<McapIndexedReader> readers, McapWriter writer, CancellationToken cancellation)
    {
        foreach (var reader in readers)
        {
            foreach (var index in reader.Summary.AttachmentIndexes)
            {
                writer.Write(await reader.ReadAttachmentAsync(index, cancellation));
                await writer.FlushAsync(cancellation);
            }
        }
    }
}
