namespace EdgeCloud.Agent.Sources.Simulated;

/// <summary>One topic of the simulated robot.</summary>
/// <param name="Topic">As it is offered.</param>
/// <param name="Hz">Messages, 1/s; 0 for one message at the start.</param>
/// <param name="Write">Makes the message of a moment; valid until the next one.</param>
internal sealed record SimulatedTopic(SourceTopic Topic, double Hz, MessageWriter Write);

/// <summary>Makes a message.</summary>
/// <param name="t">Seconds since the start.</param>
/// <param name="stampNs">The same moment, ns since the Unix epoch.</param>
/// <param name="index">Number of the message on its topic, from 0.</param>
internal delegate ReadOnlySpan<byte> MessageWriter(double t, long stampNs, uint index);

/// <summary>
/// A small delivery robot: lidar, camera, odometry, IMU, satellite fix, transforms, diagnostics (CDR) and battery (protobuf), about 1.3 MB/s.
/// Payloads depend on time, stamp and seed alone, lidar noise on the number of scans before too.
/// </summary>
internal sealed class SimulatedRobot
{
    private static readonly double[] PoseCovariance = Diagonal(6, 0.01);
    private static readonly double[] SmallCovariance = Diagonal(3, 0.0004);
    private readonly CdrWriter _cdr = new();
    private readonly ProtobufWriter _protobuf = new();
    private readonly BatteryProto _battery = new();
    private readonly Drive _drive;
    private readonly Lidar _lidar;
    private readonly Camera _camera;

    public SimulatedRobot(int seed)
    {
        _drive = new Drive(seed);
        _lidar = new Lidar(seed);
        _camera = new Camera(seed);
        Topics =
        [
            Ros("/tf_static", "tf2_msgs/TFMessage", 0, StaticTransforms, QosProfile.Latched),
            Ros("/tf", "tf2_msgs/TFMessage", 20, Transform, QosProfile.Reliable),
            Ros("/odom", "nav_msgs/Odometry", 20, Odometry, QosProfile.Reliable),
            Ros("/imu/data", "sensor_msgs/Imu", 100, Imu, QosProfile.SensorData),
            Ros("/lidar/points", "sensor_msgs/PointCloud2", 10, PointCloud, QosProfile.SensorData),
            Ros("/camera/image/compressed", "sensor_msgs/CompressedImage", 10, Image, QosProfile.SensorData),
            Ros("/fix", "sensor_msgs/NavSatFix", 5, Fix, QosProfile.SensorData),
            Ros("/diagnostics", "diagnostic_msgs/DiagnosticArray", 1, Diagnostics, QosProfile.Reliable),
            new(new SourceTopic { Topic = "/battery", MessageEncoding = "protobuf", Schema = BatteryProto.Schema }, 2, Battery),
        ];
    }

    public IReadOnlyList<SimulatedTopic> Topics { get; }

    private static SimulatedTopic Ros(string topic, string type, double hz, MessageWriter write, string qos) => new(
        new SourceTopic
        {
            Topic = topic,
            MessageEncoding = "cdr",
            Schema = RosTypes.Schema(type),
            Metadata = new Dictionary<string, string> { ["offered_qos_profiles"] = qos },
            Latched = qos == QosProfile.Latched,
        },
        hz, write);

    private ReadOnlySpan<byte> StaticTransforms(double t, long stampNs, uint index)
    {
        _cdr.Begin();
        _cdr.UInt32(3);
        WriteTransform(stampNs, "base_link", "lidar", 0.1, 0, 0.6, 0);
        WriteTransform(stampNs, "base_link", "camera", 0.3, 0, 0.4, 0);
        WriteTransform(stampNs, "base_link", "imu", 0, 0, 0.1, 0);
        return _cdr.Message;
    }

    private ReadOnlySpan<byte> Transform(double t, long stampNs, uint index)
    {
        var motion = _drive.At(t);
        _cdr.Begin();
        _cdr.UInt32(1);
        WriteTransform(stampNs, "odom", "base_link", motion.X, motion.Y, 0, motion.Yaw);
        return _cdr.Message;
    }

    private void WriteTransform(long stampNs, string parent, string child, double x, double y, double z, double yaw)
    {
        _cdr.Header(stampNs, parent);
        _cdr.Text(child);
        _cdr.Vector(x, y, z);
        _cdr.Yaw(yaw);
    }

    private ReadOnlySpan<byte> Odometry(double t, long stampNs, uint index)
    {
        var motion = _drive.At(t);
        _cdr.Begin();
        _cdr.Header(stampNs, "odom");
        _cdr.Text("base_link");
        _cdr.Vector(motion.X, motion.Y, 0);
        _cdr.Yaw(motion.Yaw);
        _cdr.Doubles(PoseCovariance);
        _cdr.Vector(motion.Speed, 0, 0);
        _cdr.Vector(0, 0, motion.YawRate);
        _cdr.Doubles(PoseCovariance);
        return _cdr.Message;
    }

    private ReadOnlySpan<byte> Imu(double t, long stampNs, uint index)
    {
        var motion = _drive.At(t);
        _cdr.Begin();
        _cdr.Header(stampNs, "imu");
        _cdr.Yaw(motion.Yaw);
        _cdr.Doubles(SmallCovariance);
        _cdr.Vector(0.01 * Math.Sin(37 * t), 0.01 * Math.Cos(41 * t), motion.YawRate);
        _cdr.Doubles(SmallCovariance);
        _cdr.Vector(motion.Acceleration, motion.Speed * motion.YawRate, 9.81 + 0.05 * Math.Sin(53 * t));
        _cdr.Doubles(SmallCovariance);
        return _cdr.Message;
    }

    private ReadOnlySpan<byte> PointCloud(double t, long stampNs, uint index)
    {
        const byte Float32 = 7;
        const int Points = Lidar.Rings * Lidar.Columns;
        _cdr.Begin();
        _cdr.Header(stampNs, "lidar");
        _cdr.UInt32(1);
        _cdr.UInt32(Points);
        _cdr.UInt32(4);
        WriteField("x", 0);
        WriteField("y", 4);
        WriteField("z", 8);
        WriteField("intensity", 12);
        _cdr.Bool(false);
        _cdr.UInt32(Lidar.PointBytes);
        _cdr.UInt32(Points * Lidar.PointBytes);
        _lidar.Scan(_drive.At(t), _cdr.ByteSequence(Points * Lidar.PointBytes));
        _cdr.Bool(true);
        return _cdr.Message;

        void WriteField(string name, uint offset)
        {
            _cdr.Text(name);
            _cdr.UInt32(offset);
            _cdr.Byte(Float32);
            _cdr.UInt32(1);
        }
    }

    private ReadOnlySpan<byte> Image(double t, long stampNs, uint index)
    {
        var frame = _camera.Frame(index);
        _cdr.Begin();
        _cdr.Header(stampNs, "camera");
        _cdr.Text("png");
        frame.CopyTo(_cdr.ByteSequence(frame.Length));
        return _cdr.Message;
    }

    private ReadOnlySpan<byte> Fix(double t, long stampNs, uint index)
    {
        const double Latitude = 48.1375, Longitude = 11.575, MetresPerDegree = 111_320;
        const byte DiagonalKnown = 2;
        const ushort Gps = 1;
        var motion = _drive.At(t);
        _cdr.Begin();
        _cdr.Header(stampNs, "base_link");
        _cdr.Byte(0);   // STATUS_FIX
        _cdr.UInt16(Gps);
        _cdr.Double(Latitude + motion.Y / MetresPerDegree);
        _cdr.Double(Longitude + motion.X / (MetresPerDegree * 0.667));
        _cdr.Double(519);
        _cdr.Doubles(SmallCovariance);
        _cdr.Byte(DiagonalKnown);
        return _cdr.Message;
    }

    private ReadOnlySpan<byte> Diagnostics(double t, long stampNs, uint index)
    {
        _cdr.Begin();
        _cdr.Header(stampNs, "");
        _cdr.UInt32(2);
        WriteStatus(0, "lidar: driver", "running", "lidar-16");
        var hot = index % 60 >= 55;
        WriteStatus(hot ? (byte)1 : (byte)0, "drive: left motor", hot ? "warm" : "ok", "motor-l");
        return _cdr.Message;

        void WriteStatus(byte level, string name, string message, string hardware)
        {
            _cdr.Byte(level);
            _cdr.Text(name);
            _cdr.Text(message);
            _cdr.Text(hardware);
            _cdr.UInt32(1);
            _cdr.Text("temperature");
            _cdr.Text(level == 0 ? "41" : "67");
        }
    }

    private ReadOnlySpan<byte> Battery(double t, long stampNs, uint index)
    {
        _battery.Write(_protobuf, stampNs, charge: 1 - t / 14_400 % 1, current: -1.5 - _drive.At(t).Speed);
        return _protobuf.Message;
    }

    private static double[] Diagonal(int size, double value)
    {
        var matrix = new double[size * size];
        for (var i = 0; i < size; i++)
            matrix[i * (size + 1)] = value;
        return matrix;
    }
}
