using System.Security.Cryptography;
using EdgeCloud.Cli.Mcap;
using EdgeCloud.Contracts;
using EdgeCloud.Export;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Cli.Export;

/// <summary>
/// The plan of an export of files: they are taken as the segments of one recording, in order of their first message. Its session id follows
/// from their contents.
/// </summary>
internal static class LocalPlan
{
    /// <summary>Reads what the files hold.</summary>
    /// <exception cref="CliException">One cannot be read, or is there twice.</exception>
    public static async Task<ExportPlan> OfAsync(IReadOnlyList<string> files, string robot, ExportSettings settings, CancellationToken cancellation)
    {
        var found = new List<(PlannedSegment Segment, IReadOnlyList<PlannedTopic> Topics)>();
        foreach (var file in files)
            found.Add(await ReadAsync(file, cancellation));
        if (found.GroupBy(f => f.Segment.Sha256).FirstOrDefault(g => g.Count() > 1) is { } same)
            throw new CliException($"{string.Join(" and ", same.Select(f => f.Segment.Key))} are the same recording: each message would be there twice. Name it once.", ExitCodes.Usage);
        found = [.. found.OrderBy(f => f.Segment.StartNs)];
        var session = new Guid(SHA256.HashData(System.Text.Encoding.ASCII.GetBytes(string.Join('\n', found.Select(f => f.Segment.Sha256)))).AsSpan(0, 16));
        PlannedSegment[] segments = [.. found.Select((f, i) => f.Segment with { Session = session, Sequence = i + 1 })];
        return new ExportPlan
        {
            Id = Guid.CreateVersion7(),
            Settings = settings,
            Sessions =
            [
                new PlannedSession
                {
                    Id = session,
                    Robot = robot,
                    Segments = PlannedSegment.InRange(segments, settings.FromNs, settings.ToNs),
                    Topics = PlannedTopic.Union(found.SelectMany(f => f.Topics)),
                },
            ],
        };
    }

    private static async Task<(PlannedSegment, IReadOnlyList<PlannedTopic>)> ReadAsync(string file, CancellationToken cancellation)
    {
        await using var reader = await McapFiles.OpenAsync(file, cancellation);
        var (start, end) = Range(reader.Summary);
        var topics = reader.Channels.Values.Select(channel =>
        {
            var schema = reader.Schemas.GetValueOrDefault(channel.SchemaId);
            var hash = schema is null || schema.Data.IsEmpty ? "" : Convert.ToHexStringLower(SHA256.HashData(schema.Data.Span));
            return new PlannedTopic(channel.Topic, schema?.Name ?? "", hash, channel.MessageEncoding);
        });
        var hash = await HashAsync(reader.Source, cancellation);
        return (new PlannedSegment(Guid.Empty, 0, file, reader.Source.Length, hash, "", Ns(start), Ns(end)), [.. topics]);
    }

    private static (ulong Start, ulong End) Range(McapSummary summary)
    {
        if (summary.Statistics is { MessageCount: > 0 } statistics)
            return (statistics.MessageStartTime, statistics.MessageEndTime);
        var chunks = summary.ChunkIndexes.Where(c => c.MessageEndTime > 0).ToList();
        return chunks.Count == 0 ? (0, 0) : (chunks.Min(c => c.MessageStartTime), chunks.Max(c => c.MessageEndTime));
    }

    private static long Ns(ulong time) => (long)Math.Min(time, long.MaxValue);

    private static async Task<string> HashAsync(IByteSource source, CancellationToken cancellation)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[4 << 20];
        for (long at = 0; at < source.Length;)
        {
            var length = (int)Math.Min(buffer.Length, source.Length - at);
            await source.ReadAsync(at, buffer.AsMemory(0, length), cancellation);
            hash.AppendData(buffer, 0, length);
            at += length;
        }
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
