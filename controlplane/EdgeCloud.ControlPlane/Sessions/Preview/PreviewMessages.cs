using System.Text.Json;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Json;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>A message that was found, with a copy of its payload.</summary>
internal sealed record FoundMessage(Channel Channel, Schema? Schema, uint Sequence, ulong LogTime, ulong PublishTime, byte[] Data)
{
    public string Type => Schema?.Name ?? "";
}

/// <summary>Finds the last message of a topic up to a moment: one chunk of one segment is read for it.</summary>
internal sealed class PreviewMessages(PreviewFiles files, PreviewGate gate)
{
    /// <summary>A larger message is not taken apart; its size is told.</summary>
    private const int DecodedBytesMax = 16 << 20;
    private const int Base64BytesMax = 192;

    /// <summary>The last message of <paramref name="topic"/> at or before <paramref name="atNs"/> within the session's range; the first one when there is none before.</summary>
    /// <remarks>A manifest tells where a topic's first and last message are, so that a segment that a range cuts may have none in it.</remarks>
    /// <exception cref="RequestException">There is none, or where it is cannot be read.</exception>
    public async Task<FoundMessage> FindAsync(PreviewSession session, string topic, long atNs, CancellationToken cancellation)
    {
        session.Require(topic);
        using var entered = await gate.EnterAsync(cancellation);
        atNs = Math.Min(atNs, session.ToNs - 1);
        var having = session.Segments.Where(s => s.Topic(topic) is { Messages: > 0 })
            .OrderBy(s => s.Topic(topic)!.FirstLogTimeNs).ThenBy(s => s.Sequence).ToList();
        if (having.FindLast(s => s.Topic(topic)!.FirstLogTimeNs <= atNs) is { } before
            && await FindAsync(before, topic, session.FromNs, atNs + 1, isLast: true, cancellation) is { } found)
        {
            return found;
        }
        foreach (var after in having.Where(s => s.Topic(topic)!.LastLogTimeNs > atNs))
        {
            if (await FindAsync(after, topic, Math.Max(session.FromNs, atNs), session.ToNs, isLast: false, cancellation) is { } next)
                return next;
        }
        throw RequestException.NotFound($"The session has no messages of the topic '{topic}' in this range.");
    }

    private async Task<FoundMessage?> FindAsync(
        PreviewSegment segment, string topic, long fromNs, long toNs, bool isLast, CancellationToken cancellation)
    {
        if (!segment.IsHere)
            throw RequestException.Conflict($"That message is in segment {segment.Sequence}, which is {SnakeCaseNames.Of(segment.Custody.ToString())} and not in storage.");
        try
        {
            var reader = await files.OpenAsync(segment.File, cancellation);
            await using var messages = reader.ReadMessages(new McapReadOptions
            {
                StartTime = (ulong)fromNs,
                EndTime = (ulong)toNs,
                Channels = c => c.Topic == topic && !PreviewSession.IsRepeat(c),
                Order = isLast ? MessageOrder.ReverseLogTime : MessageOrder.LogTime,
            }).GetAsyncEnumerator(cancellation);
            if (!await messages.MoveNextAsync())
                return null;
            var (message, channel) = (messages.Current, reader.Channels[messages.Current.ChannelId]);
            return new FoundMessage(
                channel, reader.Schemas.GetValueOrDefault(channel.SchemaId), message.Sequence, message.LogTime, message.PublishTime, message.Data.ToArray());
        }
        catch (Exception e) when (e is McapException or ExportException or EndOfStreamException)
        {
            throw RequestException.Conflict($"Segment {segment.Sequence} cannot be read: {e.Message}");
        }
    }

    /// <summary>The message as a tree.</summary>
    public static MessageView View(FoundMessage found)
    {
        var (message, cut, undecoded) = Decode(found);
        return new MessageView
        {
            Topic = found.Channel.Topic,
            Type = found.Type,
            Encoding = found.Channel.MessageEncoding,
            LogTimeNs = (long)found.LogTime,
            PublishTimeNs = (long)found.PublishTime,
            Sequence = found.Sequence,
            Bytes = found.Data.Length,
            Message = message,
            Cut = cut,
            Undecoded = undecoded,
        };
    }

    /// <summary>Writes a channel's messages as JSON; undecoded ones where the definition is missing or cannot be understood.</summary>
    public static (MessageJson Json, string Problem) JsonOf(Channel channel, Schema? schema, JsonBytes bytes)
    {
        try
        {
            var json = MessageJson.Create(schema?.Name ?? "", schema?.Encoding ?? "", schema is null ? [] : schema.Data.Span, channel.MessageEncoding, bytes);
            var isKnown = (channel.MessageEncoding, schema?.Encoding) is ("cdr", "ros2msg" or "ros2idl") or ("protobuf", "protobuf") or ("json", _);
            return (json, isKnown ? "" : $"messages of encoding '{channel.MessageEncoding}' with a schema of encoding '{schema?.Encoding}' are not decoded");
        }
        catch (DefinitionException e)
        {
            return (MessageJson.Opaque(), $"the definition cannot be understood: {e.Message}");
        }
    }

    private static (JsonElement Message, IReadOnlyList<CutValue> Cut, string Undecoded) Decode(FoundMessage found)
    {
        var problem = found.Data.Length > DecodedBytesMax ? $"messages of more than {DecodedBytesMax} bytes are not taken apart here; export it" : "";
        if (problem.Length == 0)
        {
            (var json, problem) = JsonOf(found.Channel, found.Schema, JsonBytes.Base64);
            if (problem.Length == 0)
            {
                try
                {
                    var (message, cut) = JsonCut.Of(json.Write(found.Data));
                    return (message, cut, "");
                }
                catch (Exception e) when (e is CdrException or FormatException or JsonException)
                {
                    problem = $"the payload does not fit its definition: {e.Message}";
                }
            }
        }
        var shown = found.Data.AsSpan(0, Math.Min(found.Data.Length, Base64BytesMax));
        var (raw, _) = JsonCut.Of(MessageJson.Opaque().Write(shown));
        return (raw, shown.Length < found.Data.Length ? [new CutValue("base64", found.Data.Length, shown.Length)] : [], problem);
    }
}
