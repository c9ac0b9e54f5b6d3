namespace EdgeCloud.Ros2.Tests.Model;

/// <summary>Payloads of well-known messages.</summary>
public static class Payloads
{
    private static readonly TypeModel Tf = new(
    [
        new("T0", [new("transforms", "T1") { Extent = Extent.Unbounded }]),
        new("T1", [new("stamp", "time"), new("frame_id", "string"), new("child_frame_id", "string"), new("values", "float64") { Extent = Extent.Fixed, Size = 7 }]),
    ]);

    /// <summary>A tf2_msgs/msg/TFMessage; the n-th transform is at x = n.</summary>
    public static byte[] Transforms(int count) => new CdrEncoder(Tf, Xcdr.Plain1, false).Encode(new()
    {
        ["transforms"] = Enumerable.Range(0, count).Select(n => (object)new Dictionary<string, object?>
        {
            ["stamp"] = (n, 5u),
            ["frame_id"] = "odom",
            ["child_frame_id"] = $"link_{n}",
            ["values"] = new List<object> { (double)n, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0 },
        }).ToList(),
    });
}
