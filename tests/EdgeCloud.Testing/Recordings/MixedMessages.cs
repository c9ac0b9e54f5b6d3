using System.Buffers.Binary;
using System.Text;

namespace EdgeCloud.Testing;

/// <summary>
/// ROS 2 messages in the mix that exports are measured on, by bytes: 60% raw images, 30% point clouds, 10% imu, tf and odometry. One frame
/// is 1.54 MB. Deterministic by frame number; image and cloud compress about as a camera's and a lidar's do.
/// </summary>
public sealed class MixedMessages
{
    /// <summary>Pixels of an image, 3 bytes each.</summary>
    public const int ImageWidth = 640, ImageHeight = 480;
    /// <summary>Points of a cloud, 16 bytes each: x, y, z, intensity.</summary>
    public const int Points = 28_800;
    /// <summary>Small messages per frame.</summary>
    public const int ImusPerFrame = 200, OdometriesPerFrame = 90, TransformsPerFrame = 150;

    private const string Line = "\n================================================================================\nMSG: ";
    private const string Time = "builtin_interfaces/Time\nint32 sec\nuint32 nanosec\n";
    private const string Header = "std_msgs/Header\nbuiltin_interfaces/Time stamp\nstring frame_id\n";
    private const string Vector = "geometry_msgs/Vector3\nfloat64 x\nfloat64 y\nfloat64 z\n";
    private const string Quaternion = "geometry_msgs/Quaternion\nfloat64 x 0\nfloat64 y 0\nfloat64 z 0\nfloat64 w 1\n";

    /// <summary>Topic, type and definition of each channel, in the order of <see cref="Kind"/>.</summary>
    public static readonly IReadOnlyList<(string Topic, string Type, string Definition)> Channels =
    [
        ("/camera/image", "sensor_msgs/msg/Image",
            "std_msgs/Header header\nuint32 height\nuint32 width\nstring encoding\nuint8 is_bigendian\nuint32 step\nuint8[] data\n" + Line + Header + Line + Time),
        ("/lidar/points", "sensor_msgs/msg/PointCloud2",
            "std_msgs/Header header\nuint32 height\nuint32 width\nPointField[] fields\nbool is_bigendian\nuint32 point_step\nuint32 row_step\n"
            + "uint8[] data\nbool is_dense\n" + Line + Header + Line + Time + Line
            + "sensor_msgs/PointField\nuint8 FLOAT32=7\nstring name\nuint32 offset\nuint8 datatype\nuint32 count\n"),
        ("/imu/data", "sensor_msgs/msg/Imu",
            "std_msgs/Header header\ngeometry_msgs/Quaternion orientation\nfloat64[9] orientation_covariance\n"
            + "geometry_msgs/Vector3 angular_velocity\nfloat64[9] angular_velocity_covariance\n"
            + "geometry_msgs/Vector3 linear_acceleration\nfloat64[9] linear_acceleration_covariance\n"
            + Line + Header + Line + Time + Line + Quaternion + Line + Vector),
        ("/odom", "nav_msgs/msg/Odometry",
            "std_msgs/Header header\nstring child_frame_id\ngeometry_msgs/PoseWithCovariance pose\ngeometry_msgs/TwistWithCovariance twist\n"
            + Line + Header + Line + Time + Line + "geometry_msgs/PoseWithCovariance\nPose pose\nfloat64[36] covariance\n"
            + Line + "geometry_msgs/Pose\nPoint position\nQuaternion orientation\n" + Line + "geometry_msgs/Point\nfloat64 x\nfloat64 y\nfloat64 z\n"
            + Line + Quaternion + Line + "geometry_msgs/TwistWithCovariance\nTwist twist\nfloat64[36] covariance\n"
            + Line + "geometry_msgs/Twist\nVector3 linear\nVector3 angular\n" + Line + Vector),
        ("/tf", "tf2_msgs/msg/TFMessage",
            "geometry_msgs/TransformStamped[] transforms\n" + Line
            + "geometry_msgs/TransformStamped\nstd_msgs/Header header\nstring child_frame_id\nTransform transform\n" + Line + Header + Line + Time
            + Line + "geometry_msgs/Transform\nVector3 translation\nQuaternion rotation\n" + Line + Vector + Line + Quaternion),
    ];

    /// <summary>Indexes of <see cref="Channels"/>.</summary>
    public enum Kind { Image, Cloud, Imu, Odometry, Transform }

    private readonly byte[] _buffer = new byte[ImageWidth * ImageHeight * 3 + 4096];
    private readonly byte[] _grain = new byte[1 << 20];
    private int _length;

    /// <summary>Makes the grain that images and clouds share.</summary>
    public MixedMessages() => new Random(11).NextBytes(_grain);

    /// <summary>The payload of a message, CDR; valid until the next call.</summary>
    public ReadOnlySpan<byte> Make(Kind kind, int number, ulong timeNs)
    {
        _length = 0;
        _buffer.AsSpan(0, 4).Clear();
        _buffer[1] = 1; // CDR, little-endian
        _length = 4;
        switch (kind)
        {
            case Kind.Image:
                WriteImage(number, timeNs);
                break;
            case Kind.Cloud:
                WriteCloud(number, timeNs);
                break;
            case Kind.Imu:
                WriteHeader(timeNs, "imu");
                Doubles(4, number);
                Doubles(9, 0);
                Doubles(3, number + 1);
                Doubles(9, 0);
                Doubles(3, number + 2);
                Doubles(9, 0);
                break;
            case Kind.Odometry:
                WriteHeader(timeNs, "odom");
                Text("base_link");
                Doubles(7, number);
                Doubles(36, 0);
                Doubles(6, number + 3);
                Doubles(36, 0);
                break;
            default:
                UInt(1);
                WriteHeader(timeNs, "odom");
                Text("base_link");
                Doubles(7, number);
                break;
        }
        return _buffer.AsSpan(0, _length);
    }

    private void WriteImage(int number, ulong timeNs)
    {
        WriteHeader(timeNs, "camera");
        UInt(ImageHeight);
        UInt(ImageWidth);
        Text("rgb8");
        _buffer[_length++] = 0;
        UInt(ImageWidth * 3);
        const int Bytes = ImageWidth * ImageHeight * 3;
        UInt(Bytes);
        var pixels = _buffer.AsSpan(_length, Bytes);
        for (var i = 0; i < Bytes; i++)
            pixels[i] = (byte)((i / 1920 + i % 1920 / 12 + number) / 2 + (_grain[(i * 7 + number * 131) & 0xfffff] & 7));
        _length += Bytes;
    }

    private void WriteCloud(int number, ulong timeNs)
    {
        WriteHeader(timeNs, "lidar");
        UInt(1);
        UInt(Points);
        UInt(4);
        foreach (var (name, offset) in new[] { ("x", 0u), ("y", 4u), ("z", 8u), ("intensity", 12u) })
        {
            Text(name);
            UInt(offset);
            _buffer[_length++] = 7;
            UInt(1);
        }
        _buffer[_length++] = 0;
        UInt(16);
        UInt(16 * Points);
        UInt(16 * Points);
        for (var i = 0; i < Points; i++)
        {
            var angle = i * (2 * MathF.PI / 1800);
            var range = 5 + (_grain[(i * 3 + number * 17) & 0xfffff] & 63) / 16f;
            Float(MathF.Round(range * MathF.Cos(angle), 3));
            Float(MathF.Round(range * MathF.Sin(angle), 3));
            Float(i / 1800 * 0.1f);
            Float(_grain[(i + number) & 0xfffff] & 31);
        }
        _buffer[_length++] = 1;
    }

    private void WriteHeader(ulong timeNs, string frame)
    {
        UInt((uint)(timeNs / 1_000_000_000));
        UInt((uint)(timeNs % 1_000_000_000));
        Text(frame);
    }

    private void Text(string text)
    {
        UInt((uint)text.Length + 1);
        _length += Encoding.ASCII.GetBytes(text, _buffer.AsSpan(_length));
        _buffer[_length++] = 0;
    }

    private void UInt(uint value)
    {
        Align(4);
        BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(_length), value);
        _length += 4;
    }

    private void Float(float value)
    {
        BinaryPrimitives.WriteSingleLittleEndian(_buffer.AsSpan(_length), value);
        _length += 4;
    }

    private void Doubles(int count, int seed)
    {
        Align(8);
        for (var i = 0; i < count; i++)
        {
            BinaryPrimitives.WriteDoubleLittleEndian(_buffer.AsSpan(_length), seed == 0 ? 0 : Math.Round(Math.Sin((seed + i) * 0.001), 6));
            _length += 8;
        }
    }

    // Relative to the end of the 4-byte header.
    private void Align(int size)
    {
        while ((_length - 4) % size != 0)
            _buffer[_length++] = 0;
    }
}
