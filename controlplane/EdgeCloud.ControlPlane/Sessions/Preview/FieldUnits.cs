using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>
/// Units of fields: from the definition where it states one, else from ROS's conventions (REP 103 and the comments of the common
/// messages, which no program can read).
/// </summary>
internal static class FieldUnits
{
    private static readonly Dictionary<string, string> Known = new(StringComparer.Ordinal)
    {
        ["sensor_msgs/msg/Imu.angular_velocity"] = "rad/s",
        ["sensor_msgs/msg/Imu.linear_acceleration"] = "m/s²",
        ["sensor_msgs/msg/MagneticField.magnetic_field"] = "T",
        ["sensor_msgs/msg/NavSatFix.latitude"] = "°",
        ["sensor_msgs/msg/NavSatFix.longitude"] = "°",
        ["sensor_msgs/msg/NavSatFix.altitude"] = "m",
        ["sensor_msgs/msg/NavSatFix.position_covariance"] = "m²",
        ["sensor_msgs/msg/Range.range"] = "m",
        ["sensor_msgs/msg/LaserScan.ranges"] = "m",
        ["sensor_msgs/msg/LaserScan.range_min"] = "m",
        ["sensor_msgs/msg/LaserScan.range_max"] = "m",
        ["sensor_msgs/msg/LaserScan.angle_min"] = "rad",
        ["sensor_msgs/msg/LaserScan.angle_max"] = "rad",
        ["sensor_msgs/msg/LaserScan.angle_increment"] = "rad",
        ["sensor_msgs/msg/LaserScan.scan_time"] = "s",
        ["sensor_msgs/msg/LaserScan.time_increment"] = "s",
        ["sensor_msgs/msg/Temperature.temperature"] = "°C",
        ["sensor_msgs/msg/FluidPressure.fluid_pressure"] = "Pa",
        ["sensor_msgs/msg/Illuminance.illuminance"] = "lx",
        ["sensor_msgs/msg/BatteryState.voltage"] = "V",
        ["sensor_msgs/msg/BatteryState.cell_voltage"] = "V",
        ["sensor_msgs/msg/BatteryState.temperature"] = "°C",
        ["sensor_msgs/msg/BatteryState.current"] = "A",
        ["sensor_msgs/msg/BatteryState.charge"] = "Ah",
        ["sensor_msgs/msg/BatteryState.capacity"] = "Ah",
        ["sensor_msgs/msg/BatteryState.design_capacity"] = "Ah",
        ["geometry_msgs/msg/Twist.linear"] = "m/s",
        ["geometry_msgs/msg/Twist.angular"] = "rad/s",
        ["geometry_msgs/msg/Accel.linear"] = "m/s²",
        ["geometry_msgs/msg/Accel.angular"] = "rad/s²",
        ["geometry_msgs/msg/Pose.position"] = "m",
        ["geometry_msgs/msg/Transform.translation"] = "m",
        ["geometry_msgs/msg/Wrench.force"] = "N",
        ["geometry_msgs/msg/Wrench.torque"] = "N·m",
        ["builtin_interfaces/msg/Time.nanosec"] = "ns",
        ["builtin_interfaces/msg/Time.sec"] = "s",
        ["builtin_interfaces/msg/Duration.nanosec"] = "ns",
        ["builtin_interfaces/msg/Duration.sec"] = "s",
        ["geometry_msgs/msg/PointStamped.point"] = "m",
    };

    /// <summary>Unit of a field of a message by its path; empty when unknown. The innermost level that has one decides.</summary>
    public static string Of(MessageSchema schema, string path)
    {
        var unit = "";
        var owner = schema.Root;
        foreach (var part in path.Split('.'))
        {
            var bracket = part.IndexOf('[', StringComparison.Ordinal);
            var name = bracket < 0 ? part : part[..bracket];
            if (owner.Fields.FirstOrDefault(f => f.Name == name) is not { } field)
                break;
            unit = field.Unit ?? Known.GetValueOrDefault($"{owner.Name}.{name}", unit);
            if (field.Type.Kind != FieldKind.Message)
                break;
            owner = schema.Messages[field.Type.TypeName!];
        }
        return unit;
    }
}
