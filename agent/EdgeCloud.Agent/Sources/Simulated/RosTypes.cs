using System.Text;

namespace EdgeCloud.Agent.Sources.Simulated;

/// <summary>
/// Definitions of the ROS 2 messages that the simulated robot sends: the public interface facts, in the concatenated form that rosbag2
/// writes (the type's own text, then each dependency once behind a line of 80 '=' and <c>MSG: package/Name</c>).
/// </summary>
internal static class RosTypes
{
    private static readonly string Separator = "\n" + new string('=', 80) + "\nMSG: ";

    private static readonly Dictionary<string, string> Definitions = new(StringComparer.Ordinal)
    {
        ["builtin_interfaces/Time"] = "int32 sec\nuint32 nanosec\n",
        ["std_msgs/Header"] = "builtin_interfaces/Time stamp\nstring frame_id\n",
        ["geometry_msgs/Vector3"] = "float64 x\nfloat64 y\nfloat64 z\n",
        ["geometry_msgs/Point"] = "float64 x\nfloat64 y\nfloat64 z\n",
        ["geometry_msgs/Quaternion"] = "float64 x 0\nfloat64 y 0\nfloat64 z 0\nfloat64 w 1\n",
        ["geometry_msgs/Pose"] = "Point position\nQuaternion orientation\n",
        ["geometry_msgs/PoseWithCovariance"] = "Pose pose\nfloat64[36] covariance\n",
        ["geometry_msgs/Twist"] = "Vector3 linear\nVector3 angular\n",
        ["geometry_msgs/TwistWithCovariance"] = "Twist twist\nfloat64[36] covariance\n",
        ["geometry_msgs/Transform"] = "Vector3 translation\nQuaternion rotation\n",
        ["geometry_msgs/TransformStamped"] = "std_msgs/Header header\nstring child_frame_id\nTransform transform\n",
        ["tf2_msgs/TFMessage"] = "geometry_msgs/TransformStamped[] transforms\n",
        ["nav_msgs/Odometry"] =
            "std_msgs/Header header\nstring child_frame_id\n" +
            "geometry_msgs/PoseWithCovariance pose\ngeometry_msgs/TwistWithCovariance twist\n",
        ["sensor_msgs/Imu"] =
            "std_msgs/Header header\n" +
            "geometry_msgs/Quaternion orientation\nfloat64[9] orientation_covariance\n" +
            "geometry_msgs/Vector3 angular_velocity\nfloat64[9] angular_velocity_covariance\n" +
            "geometry_msgs/Vector3 linear_acceleration\nfloat64[9] linear_acceleration_covariance\n",
        ["sensor_msgs/PointField"] =
            "uint8 INT8=1\nuint8 UINT8=2\nuint8 INT16=3\nuint8 UINT16=4\nuint8 INT32=5\nuint8 UINT32=6\nuint8 FLOAT32=7\nuint8 FLOAT64=8\n" +
            "string name\nuint32 offset\nuint8 datatype\nuint32 count\n",
        ["sensor_msgs/PointCloud2"] =
            "std_msgs/Header header\nuint32 height\nuint32 width\nPointField[] fields\nbool is_bigendian\n" +
            "uint32 point_step\nuint32 row_step\nuint8[] data\nbool is_dense\n",
        ["sensor_msgs/CompressedImage"] = "std_msgs/Header header\nstring format\nuint8[] data\n",
        ["sensor_msgs/NavSatStatus"] =
            "int8 STATUS_UNKNOWN=-2\nint8 STATUS_NO_FIX=-1\nint8 STATUS_FIX=0\nint8 STATUS_SBAS_FIX=1\nint8 STATUS_GBAS_FIX=2\n" +
            "int8 status -2\n" +
            "uint16 SERVICE_UNKNOWN=0\nuint16 SERVICE_GPS=1\nuint16 SERVICE_GLONASS=2\nuint16 SERVICE_COMPASS=4\nuint16 SERVICE_GALILEO=8\n" +
            "uint16 service\n",
        ["sensor_msgs/NavSatFix"] =
            "std_msgs/Header header\nNavSatStatus status\nfloat64 latitude\nfloat64 longitude\nfloat64 altitude\n" +
            "float64[9] position_covariance\n" +
            "uint8 COVARIANCE_TYPE_UNKNOWN=0\nuint8 COVARIANCE_TYPE_APPROXIMATED=1\n" +
            "uint8 COVARIANCE_TYPE_DIAGONAL_KNOWN=2\nuint8 COVARIANCE_TYPE_KNOWN=3\n" +
            "uint8 position_covariance_type\n",
        ["diagnostic_msgs/KeyValue"] = "string key\nstring value\n",
        ["diagnostic_msgs/DiagnosticStatus"] =
            "byte OK=0\nbyte WARN=1\nbyte ERROR=2\nbyte STALE=3\n" +
            "byte level\nstring name\nstring message\nstring hardware_id\nKeyValue[] values\n",
        ["diagnostic_msgs/DiagnosticArray"] = "std_msgs/Header header\nDiagnosticStatus[] status\n",
    };

    /// <summary>The schema of <paramref name="type"/>, which is written <c>package/Name</c>.</summary>
    public static SourceSchema Schema(string type)
    {
        var text = new StringBuilder(Definitions[type]);
        foreach (var dependency in Dependencies(type))
            text.Append(Separator).Append(dependency).Append('\n').Append(Definitions[dependency]);
        var slash = type.IndexOf('/', StringComparison.Ordinal);
        return new SourceSchema($"{type[..slash]}/msg{type[slash..]}", "ros2msg", Encoding.UTF8.GetBytes(text.ToString()));
    }

    /// <summary>Everything that <paramref name="root"/> needs, each once, in the order of first need.</summary>
    private static List<string> Dependencies(string root)
    {
        var found = new List<string>();
        var open = new Queue<string>([root]);
        while (open.TryDequeue(out var type))
        {
            foreach (var line in Definitions[type].Split('\n', StringSplitOptions.RemoveEmptyEntries))
            {
                var field = line[..line.AsSpan().IndexOfAny(' ', '[')];
                var dependency = field.Contains('/', StringComparison.Ordinal) ? field : $"{type[..type.IndexOf('/')]}/{field}";
                if (!Definitions.ContainsKey(dependency) || found.Contains(dependency))
                    continue;
                found.Add(dependency);
                open.Enqueue(dependency);
            }
        }
        return found;
    }
}
