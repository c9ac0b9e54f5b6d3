using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Testing;

namespace EdgeCloud.Ros2.Tests;

/// <summary>One message of a recording with what is needed to decode it.</summary>
public sealed record RecordedMessage(Channel Channel, Schema Schema, byte[] Data);

/// <summary>Recordings that rosbag2 made.</summary>
public static class Recording
{
    public static readonly string[] Names =
        ["basic_types_zstd", "chatter_0", "only_topics", "strings", "talker", "topics_and_services", "wbag_0", "wbag_1"];

    public static List<RecordedMessage> Read(string name)
    {
        using var reader = new McapStreamReader(File.OpenRead(TestData.Path($"rosbag2/{name}.mcap")));
        var messages = new List<RecordedMessage>();
        while (reader.ReadMessage(out Message message))
        {
            Channel channel = reader.Channels[message.ChannelId];
            messages.Add(new(channel, reader.Schemas[channel.SchemaId], message.Data.ToArray()));
        }

        return messages;
    }
}
