using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Fleet.Pages;

/// <summary>A topic of a robot as it is now.</summary>
/// <param name="Topic">Topic name.</param>
/// <param name="Type">Type name; empty when unknown.</param>
/// <param name="Class">How much it matters; null when it is no longer offered.</param>
/// <param name="Hz">Messages, 1/s; null when nothing is known.</param>
/// <param name="UsualHz">What is usual, 1/s; null when nothing was recorded of it.</param>
/// <param name="BytesPerSecond">Payload bytes, B/s.</param>
/// <param name="Lost">Messages lost since the agent started.</param>
public sealed record RobotTopic(string Topic, string Type, TopicClass? Class, double? Hz, double? UsualHz, double? BytesPerSecond, long? Lost)
{
    private const double SteadyHz = 1;

    /// <summary>Mean size of a message, bytes.</summary>
    public long? BytesPerMessage => Hz is > 0 && BytesPerSecond is { } rate ? (long)(rate / Hz.Value) : null;

    /// <summary>True when a topic that is usually steady brings less than half of what it should.</summary>
    public bool IsSlow => UsualHz >= SteadyHz && Hz < UsualHz / 2;
}
