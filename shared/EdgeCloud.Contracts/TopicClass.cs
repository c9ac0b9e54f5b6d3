namespace EdgeCloud.Contracts;

/// <summary>How much a topic matters: who is dropped first when the robot's disk cannot keep up, and who is delivered first.</summary>
public enum TopicClass
{
    /// <summary>Small and needed to understand the rest: dropped only when no memory is left.</summary>
    Critical,
    /// <summary>Everything else.</summary>
    Normal,
    /// <summary>Images, point clouds: dropped first.</summary>
    Bulk,
}
