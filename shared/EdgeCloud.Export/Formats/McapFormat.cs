using EdgeCloud.Contracts;
using EdgeCloud.Export.Reading;
using EdgeCloud.Export.Tables;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Export.Formats;

/// <summary>
/// Merged, indexed MCAP. Every message keeps its topic, log time, publish time, sequence, payload, schema and channel metadata. Repeats of
/// latched messages whose original is not in the export stay on channels marked <c>edgecloud.repeat=true</c>. The metadata record
/// <c>edgecloud.export</c> says what the file was made of and what it lacks.
/// </summary>
internal sealed class McapFormat : ExportFormat
{
    public override Task WriteAsync(PartWork work, CancellationToken cancellation) =>
        WriteAsync(work, work.Files.NameOf("recording", "mcap"), cancellation);

    /// <summary>Writes the part as one file of the given name, and images and point clouds beside it where the settings ask for that.</summary>
    public static async Task WriteAsync(PartWork work, string name, CancellationToken cancellation)
    {
        if (work.Plan.Settings is { Images: ImageFiles.None, PointClouds: CloudFiles.None })
        {
            await WriteAsync(work, name, null, cancellation).ConfigureAwait(false);
            return;
        }
        using var scratch = new Scratch(work.ScratchFolder);
        var media = new TableSet(work, scratch, Partitioning.None, SessionColumns.None, inlinesFiles: false);
        await WriteAsync(work, name, media, cancellation).ConfigureAwait(false);
        foreach (var table in media.InOrder)
        {
            if (RowFiles.Of(work.Plan.Settings, table) is { } files)
                await files.WriteAsync(work, cancellation).ConfigureAwait(false);
        }
    }

    private static async Task WriteAsync(PartWork work, string name, TableSet? media, CancellationToken cancellation)
    {
        await using var file = await work.Files.CreateAsync(name, "application/octet-stream", "", cancellation).ConfigureAwait(false);
        // Not disposed when it fails, since that would add the summary: a file that is not whole must not look whole.
        var writer = new McapWriter(file, new McapWriterOptions { Profile = "ros2", Library = "EdgeCloud", ChunkBytes = 4 << 20 }, leaveOpen: true);
        writer.Write(ExportRecord.Of(work.Plan));
        var channels = new OutputChannels(writer, work.Plan.Sessions.Count > 1);
        while (await work.MoveNextAsync(cancellation).ConfigureAwait(false))
        {
            var (channel, message) = (work.Feed.Channel, work.Feed.Message);
            var written = writer.WriteMessageAsync(
                channels.Of(channel), message.Sequence, message.LogTime, message.PublishTime, message.Data.Span, cancellation);
            if (!written.IsCompletedSuccessfully)
                await written.ConfigureAwait(false);
            channel.Note(message.LogTime);
            media?.AddForFile(channel, message);
        }
        await writer.FinishAsync(cancellation).ConfigureAwait(false);
        await writer.DisposeAsync().ConfigureAwait(false);
        work.AddChannels();
        file.Rows = work.Feed.Channels.All.Sum(c => c.Count);
        var used = work.Feed.Channels.All.Where(c => c.Count > 0).ToList();
        file.FirstNs = used.Count == 0 ? 0 : (long)used.Min(c => c.FirstNs);
        file.LastNs = used.Count == 0 ? 0 : (long)used.Max(c => c.LastNs);
        await file.CompleteAsync(cancellation).ConfigureAwait(false);
        work.Report();
    }

    public override string Loading(ExportManifest manifest) =>
        """
        Foxglove, Lichtblick and Rerun open the `.mcap` files as they are; `ros2 bag info FILE.mcap` and `ros2 bag play FILE.mcap` take each of them.

        ```python
        from mcap_ros2.reader import read_ros2_messages  # pip install mcap-ros2-support

        for message in read_ros2_messages("FILE.mcap"):
            print(message.channel.topic, message.log_time_ns, message.ros_msg)
        ```
        """;

    /// <summary>
    /// The schemas and channels of a file. A channel is written with its first message: one that has none in the part is not in the file.
    /// A file of several sessions says on each channel which one it is from.
    /// </summary>
    private sealed class OutputChannels(McapWriter writer, bool isOfSeveralSessions)
    {
        private readonly List<ushort> _channels = [];
        private readonly List<ushort> _schemas = [];
        private int _lastSchema;
        private int _lastChannel;

        public ushort Of(FeedChannel channel)
        {
            while (_channels.Count <= channel.Index)
                _channels.Add(0);
            return _channels[channel.Index] != 0 ? _channels[channel.Index] : _channels[channel.Index] = Write(channel);
        }

        private ushort Write(FeedChannel channel)
        {
            var schema = channel.Schema is null ? (ushort)0 : Of(channel.Schema);
            var metadata = channel.Metadata;
            if (isOfSeveralSessions)
            {
                metadata = new Dictionary<string, string>(metadata)
                {
                    ["edgecloud.robot"] = channel.Session.Robot,
                    ["edgecloud.session"] = channel.Session.Id.ToString("D"),
                };
            }
            var id = Next(ref _lastChannel, "channels");
            writer.Write(new Channel(id, schema, channel.Topic, channel.Encoding, metadata));
            return id;
        }

        private ushort Of(FeedSchema schema)
        {
            while (_schemas.Count <= schema.Index)
                _schemas.Add(0);
            if (_schemas[schema.Index] != 0)
                return _schemas[schema.Index];
            var id = Next(ref _lastSchema, "schemas");
            writer.Write(new Schema(id, schema.Name, schema.Encoding, schema.Data));
            return _schemas[schema.Index] = id;
        }

        private static ushort Next(ref int last, string what) => last < ushort.MaxValue
            ? (ushort)++last
            : throw new ExportException($"The export has more than {ushort.MaxValue} {what}, the most that an MCAP file can have; select fewer sessions.");
    }
}
