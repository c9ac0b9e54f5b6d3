using System.Buffers.Binary;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sources;

/// <summary>
/// Reads where the robot is from the raw CDR of a <c>sensor_msgs/msg/NavSatFix</c>, without a decoder: after the
/// encapsulation header come stamp, frame id, status (int8, uint16), then latitude, longitude and altitude.
/// </summary>
internal static class NavSatFix
{
    private const int HeaderBytes = 4;
    private const int StampBytes = 8;
    // A frame id has a few letters; a longer one is a damaged length.
    private const uint MaxFrameBytes = 4096;

    /// <summary>True for the type under its ROS 2 and its short name.</summary>
    public static bool IsType(string type) => type is "sensor_msgs/msg/NavSatFix" or "sensor_msgs/NavSatFix";

    /// <summary>The position; null when the receiver has no fix, or the bytes are no such message.</summary>
    /// <param name="cdr">The message with its encapsulation header.</param>
    /// <param name="timeNs">When it was received, ns since the Unix epoch.</param>
    public static GeoPosition? Read(ReadOnlySpan<byte> cdr, long timeNs)
    {
        // XCDR1 aligns doubles to 8 bytes, XCDR2 to 4; the last bit says little endian. Nobody sends parameter lists of this type.
        if (cdr.Length < HeaderBytes + StampBytes + 4 || cdr[0] != 0 || cdr[1] is not (0 or 1 or 6 or 7))
            return null;
        var little = (cdr[1] & 1) == 1;
        var alignment = cdr[1] < 6 ? 8 : 4;
        var body = cdr[HeaderBytes..];
        var frameBytes = little ? BinaryPrimitives.ReadUInt32LittleEndian(body[StampBytes..]) : BinaryPrimitives.ReadUInt32BigEndian(body[StampBytes..]);
        if (frameBytes > MaxFrameBytes)
            return null;
        var status = StampBytes + 4 + (int)frameBytes;
        var service = (status + 1 + 1) & ~1;
        var latitude = (service + 2 + alignment - 1) & -alignment;
        if (body.Length < latitude + (3 * sizeof(double)) || (sbyte)body[status] < 0)
            return null;
        var position = new GeoPosition(
            Double(body[latitude..], little), Double(body[(latitude + 8)..], little), Altitude(Double(body[(latitude + 16)..], little)), timeNs);
        return position.IsValid ? position : null;
    }

    private static double? Altitude(double metres) => double.IsFinite(metres) ? metres : null;

    private static double Double(ReadOnlySpan<byte> at, bool little) =>
        little ? BinaryPrimitives.ReadDoubleLittleEndian(at) : BinaryPrimitives.ReadDoubleBigEndian(at);
}
