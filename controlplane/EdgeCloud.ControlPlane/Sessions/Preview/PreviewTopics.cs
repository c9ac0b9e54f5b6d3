using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Export;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>Tells what of a session can be looked at.</summary>
internal sealed class PreviewTopics(PreviewFiles files)
{
    /// <summary>The topics of the segments that are in storage.</summary>
    public static PreviewTopicsView Of(PreviewSession session)
    {
        var topics = new SortedDictionary<string, PreviewTopicView>(StringComparer.Ordinal);
        foreach (var topic in session.Segments.Where(s => s.IsHere).SelectMany(s => s.Manifest.Topics).Where(t => t.Messages > 0))
        {
            var view = View(topic);
            topics[topic.Topic] = topics.TryGetValue(topic.Topic, out var known)
                ? known with
                {
                    Messages = known.Messages + view.Messages,
                    FirstNs = Math.Min(known.FirstNs, view.FirstNs),
                    LastNs = Math.Max(known.LastNs, view.LastNs),
                }
                : view;
        }
        return new PreviewTopicsView { Session = session.Id, Topics = [.. topics.Values] };
    }

    /// <summary>The fields of a topic, by the definition in the newest segment that has it.</summary>
    /// <exception cref="RequestException">There is no such topic in storage, or its segment cannot be read.</exception>
    public async Task<PreviewFieldsView> FieldsAsync(PreviewSession session, string topic, CancellationToken cancellation)
    {
        session.Require(topic);
        var segment = session.Segments.LastOrDefault(s => s.IsHere && s.Topic(topic) is { Messages: > 0 })
            ?? throw RequestException.Conflict($"No segment with messages of '{topic}' is in storage yet.");
        try
        {
            var reader = await files.OpenAsync(segment.File, cancellation);
            var channel = reader.Channels.Values.FirstOrDefault(c => c.Topic == topic && !PreviewSession.IsRepeat(c))
                ?? throw RequestException.Conflict($"Segment {segment.Sequence} has no channel of '{topic}', though its manifest says so.");
            var schema = reader.Schemas.GetValueOrDefault(channel.SchemaId);
            var sample = channel.MessageEncoding == "cdr" ? [] : await SampleAsync(reader, channel, cancellation);
            return new PreviewFieldsView { Topic = topic, Type = schema?.Name ?? "", Fields = FieldList.Of(channel.MessageEncoding, schema, sample) };
        }
        catch (Exception e) when (e is McapException or ExportException or EndOfStreamException)
        {
            throw RequestException.Conflict($"Segment {segment.Sequence} cannot be read: {e.Message}");
        }
    }

    private static async Task<byte[]> SampleAsync(McapIndexedReader reader, Channel channel, CancellationToken cancellation)
    {
        await using var messages = reader.ReadMessages(new McapReadOptions { Channels = c => c.Id == channel.Id }).GetAsyncEnumerator(cancellation);
        return await messages.MoveNextAsync() ? messages.Current.Data.ToArray() : [];
    }

    private static PreviewTopicView View(TopicSummary topic) => new()
    {
        Topic = topic.Topic,
        Type = topic.Type,
        Encoding = topic.Encoding,
        Messages = topic.Messages,
        FirstNs = topic.FirstLogTimeNs,
        LastNs = topic.LastLogTimeNs,
        Kind = PreviewFrame.KindOf(topic.Type),
    };
}
