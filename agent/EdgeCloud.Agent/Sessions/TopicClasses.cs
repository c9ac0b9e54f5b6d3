using EdgeCloud.Agent.Sources;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// The rule of who is dropped first when messages come faster than the disk takes them. Before anything is dropped, compression steps down.
/// Then bulk topics are refused while half of a log's memory waits for the disk, normal ones while three quarters do, and critical ones
/// only when there is none left. Each refused message is counted in the loss ledger of its topic as <c>dropped_queue</c>.
/// </summary>
internal static class TopicClasses
{
    /// <summary>The class of a topic: what somebody chose for it, or one by its type. Latched topics are few, and whoever reads needs them.</summary>
    public static TopicClass Of(SourceTopic topic) => topic.Class ?? topic.Type switch
    {
        _ when topic.Latched => TopicClass.Critical,
        "diagnostic_msgs/msg/DiagnosticArray" or "rcl_interfaces/msg/Log" => TopicClass.Critical,
        "sensor_msgs/msg/Image" or "sensor_msgs/msg/CompressedImage" or "sensor_msgs/msg/PointCloud2" or "sensor_msgs/msg/PointCloud"
            or "stereo_msgs/msg/DisparityImage" or "theora_image_transport/msg/Packet" or "ffmpeg_image_transport_msgs/msg/FFMPEGPacket"
            or "foxglove_msgs/msg/CompressedVideo" or "foxglove.CompressedVideo" or "foxglove.CompressedImage" or "foxglove.RawImage"
            or "foxglove.PointCloud" => TopicClass.Bulk,
        _ => TopicClass.Normal,
    };

    /// <summary>The class of a channel of a log, of one that recovery found by its type.</summary>
    public static TopicClass Of(ChannelDefinition channel) => channel.MemoryShare switch
    {
        <= 0.5 => TopicClass.Bulk,
        < 1 => TopicClass.Normal,
        _ => TopicClass.Critical,
    };

    /// <summary>The share of a log's memory that may wait for the disk before a class is refused.</summary>
    public static double MemoryShare(TopicClass topicClass) => topicClass switch
    {
        TopicClass.Bulk => 0.5,
        TopicClass.Normal => 0.75,
        _ => 1,
    };
}
