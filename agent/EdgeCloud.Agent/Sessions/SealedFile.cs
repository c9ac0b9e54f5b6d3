using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Contracts;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// Reads from a sealed segment what the log told when it was sealed: for one whose state was not written before a crash. The file is read
/// for its contents, its SHA-256 and its ETag.
/// </summary>
internal sealed class SealedFile
{
    private readonly Dictionary<ushort, SegmentChannel> _channels = [];
    private readonly Dictionary<string, Metadata> _metadata = new(StringComparer.Ordinal);
    private long _messages;
    private ulong _start = ulong.MaxValue, _end;

    /// <summary>The segment and its ledger.</summary>
    /// <exception cref="McapException">The file is not a sound recording.</exception>
    /// <exception cref="StateFileException">It is one of another session.</exception>
    public static (SealedSegment Segment, IReadOnlyList<LedgerEntry> Ledger) Read(string path, Guid session, int sequence, SegmentLogOptions options)
    {
        var contents = new SealedFile();
        using (var reader = new McapStreamReader(File.OpenRead(path)))
        {
            while (reader.Read(out var record))
                contents.Add(record, reader);
        }
        if (contents._metadata.GetValueOrDefault("edgecloud")?.Pairs.GetValueOrDefault("session") is var owner && owner != session.ToString("D"))
            throw new StateFileException($"{path} is a recording of {(owner is null ? "somebody else" : $"session {owner}")}");
        var (bytes, sha256) = Hash(path);
        using var etags = new FileETagReader(new LinuxFiles(), options.SinglePutBytes, options.PartBytes);
        var tag = etags.Read(path, bytes);
        var facts = contents.Facts(sequence);
        return (new SealedSegment
        {
            Path = path,
            Bytes = bytes,
            Sha256 = sha256,
            ETag = tag.ETag,
            PartMd5s = tag.PartMd5s,
            Facts = facts,
            Chunks = 0,
            CommitOverheadBytes = 0,
            Rewritten = false,
        }, contents.Ledger() ?? SegmentManifests.LedgerOf(facts));
    }

    /// <summary>Size and SHA-256 of a file, lower-case hexadecimal.</summary>
    public static (long Bytes, string Sha256) Hash(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, bufferSize: 0);
        return (file.Length, Convert.ToHexStringLower(SHA256.HashData(file)));
    }

    private void Add(in McapRecord record, McapStreamReader reader)
    {
        if (record.Opcode is Opcode.Metadata)
        {
            var metadata = record.ToMetadata();
            _metadata[metadata.Name] = metadata;
        }
        else if (record.Opcode is Opcode.Message)
        {
            var message = record.ToMessage();
            var channel = reader.Channels[message.ChannelId];
            if (!IsRepeat(channel))
                Count(message, channel, reader);
        }
    }

    private void Count(in Message message, Channel channel, McapStreamReader reader)
    {
        _messages++;
        _start = Math.Min(_start, message.LogTime);
        _end = Math.Max(_end, message.LogTime);
        var before = _channels.GetValueOrDefault(channel.Id) ?? new SegmentChannel
        {
            Definition = Describe(channel, reader.Schemas.GetValueOrDefault(channel.SchemaId)),
            FirstLogTimeNs = message.LogTime,
        };
        _channels[channel.Id] = before with
        {
            Messages = before.Messages + 1,
            Bytes = before.Bytes + message.Data.Length,
            LastLogTimeNs = message.LogTime,
        };
    }

    private SegmentFacts Facts(int sequence)
    {
        var own = _metadata.GetValueOrDefault("edgecloud.segment")?.Pairs;
        var recovery = _metadata.GetValueOrDefault(SegmentRecovery.MetadataName)?.Pairs;
        return new SegmentFacts
        {
            Sequence = sequence,
            Reason = recovery is null ? SealReason.Finish : SealReason.Recovered,
            Messages = _messages,
            LogTimeStartNs = _messages == 0 ? 0 : _start,
            LogTimeEndNs = _end,
            Channels = [.. _channels.OrderBy(c => c.Key).Select(c => c.Value)],
            Clock = new SegmentClock(Number(own, "wall_ns"), Number(own, "monotonic_ns"), own?.GetValueOrDefault("boot_id") ?? ""),
            CutBytes = Number(recovery, "cut_bytes"),
            LostMessages = Number(recovery, "lost_messages"),
        };
    }

    private IReadOnlyList<LedgerEntry>? Ledger() =>
        _metadata.TryGetValue(SegmentManifests.LedgerMetadata, out var record) && record.Pairs.TryGetValue("ledger", out var json)
            ? JsonSerializer.Deserialize(json, SessionJson.Default.IReadOnlyListLedgerEntry) : null;

    private static long Number(IReadOnlyDictionary<string, string>? pairs, string key) =>
        long.TryParse(pairs?.GetValueOrDefault(key), CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static bool IsRepeat(Channel channel) => channel.Metadata.TryGetValue("edgecloud.repeat", out var repeat) && repeat == "true";

    private static ChannelDefinition Describe(Channel channel, Schema? schema) => new()
    {
        Topic = channel.Topic,
        MessageEncoding = channel.MessageEncoding,
        SchemaName = schema?.Name ?? "",
        SchemaEncoding = schema?.Encoding ?? "",
        SchemaData = schema?.Data ?? default,
        Metadata = channel.Metadata,
    };
}
