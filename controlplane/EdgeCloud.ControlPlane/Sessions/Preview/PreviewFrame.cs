using System.Buffers.Binary;
using System.Text.Json;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Json;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>A picture of a message.</summary>
/// <param name="Bytes">A file that browsers show.</param>
/// <param name="MediaType">Its media type.</param>
/// <param name="Description">What it shows, such as <c>640 x 480 rgb8</c>.</param>
internal sealed record PreviewFrame(byte[] Bytes, string MediaType, string Description)
{
    /// <summary>Types that have a picture, and the kind that pages know them by.</summary>
    public static string KindOf(string type) => type switch
    {
        "sensor_msgs/msg/Image" or "sensor_msgs/msg/CompressedImage" or "foxglove.CompressedImage" => "image",
        "sensor_msgs/msg/PointCloud2" => "points",
        "rcl_interfaces/msg/Log" or "diagnostic_msgs/msg/DiagnosticArray" or "foxglove.Log" => "log",
        _ => "",
    };

    /// <summary>Draws a message.</summary>
    /// <exception cref="RequestException">It has no picture, or it cannot be drawn; the message says why.</exception>
    public static PreviewFrame Of(FoundMessage message, int widthMax)
    {
        try
        {
            switch (message.Type)
            {
                case "sensor_msgs/msg/Image":
                    var image = new RosPixels(message.Data);
                    var (width, height, pixels) = image.Draw(widthMax);
                    return new(PngFile.Write(width, height, image.Channels, pixels), "image/png", $"{image.Width} x {image.Height} {image.Encoding}");
                case "sensor_msgs/msg/CompressedImage":
                    var fields = new CdrFields(message.Data);
                    fields.Header();
                    var format = fields.Text();
                    return Compressed(fields.ByteSequence(), format);
                case "foxglove.CompressedImage":
                    var json = MessageJson.Create(message.Type, message.Schema!.Encoding, message.Schema.Data.Span, message.Channel.MessageEncoding, JsonBytes.Base64);
                    using (var decoded = JsonDocument.Parse(json.Write(message.Data).ToArray()))
                        return Compressed(decoded.RootElement.GetProperty("data").GetBytesFromBase64(), decoded.RootElement.GetProperty("format").GetString() ?? "");
                case "sensor_msgs/msg/PointCloud2":
                    return PointsFromAbove.Draw(message.Data, Math.Min(widthMax, 800));
                default:
                    throw RequestException.Invalid("topic", $"a topic of images or point clouds; '{message.Channel.Topic}' is of {(message.Type.Length > 0 ? message.Type : "no known type")}");
            }
        }
        catch (Exception e) when (e is FormatException or JsonException or DefinitionException or KeyNotFoundException or InvalidOperationException)
        {
            throw RequestException.Conflict($"The message of '{message.Channel.Topic}' at {message.LogTime} ns cannot be drawn: {e.Message}");
        }
    }

    /// <summary>Passes a compressed image through, if it is by its own first bytes what browsers show; what it claims to be does not count.</summary>
    private static PreviewFrame Compressed(ReadOnlySpan<byte> data, string format)
    {
        // compressed_depth_image_transport puts 12 bytes before its PNG.
        if (format.Contains("compressedDepth", StringComparison.Ordinal) && data.Length > 12)
            data = data[12..];
        var type = data switch
        {
            [0xFF, 0xD8, 0xFF, ..] => "image/jpeg",
            [0x89, (byte)'P', (byte)'N', (byte)'G', ..] => "image/png",
            [(byte)'R', (byte)'I', (byte)'F', (byte)'F', _, _, _, _, (byte)'W', (byte)'E', (byte)'B', (byte)'P', ..] => "image/webp",
            _ => throw new FormatException($"its {data.Length} bytes of format '{format}' are neither JPEG, PNG nor WebP"),
        };
        var size = type == "image/png" && data.Length >= 24
            ? $"{BinaryPrimitives.ReadInt32BigEndian(data[16..])} x {BinaryPrimitives.ReadInt32BigEndian(data[20..])} "
            : "";
        return new(data.ToArray(), type, size + type["image/".Length..]);
    }
}
