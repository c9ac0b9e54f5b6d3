namespace EdgeCloud.Ros2.Definitions;

/// <summary>A ROS type name in its three parts: <c>sensor_msgs/msg/Imu</c>.</summary>
/// <param name="Package">For example <c>sensor_msgs</c>.</param>
/// <param name="Namespace"><c>msg</c>, <c>srv</c> or <c>action</c>.</param>
/// <param name="Name">For example <c>Imu</c>.</param>
public readonly record struct RosTypeName(string Package, string Namespace, string Name)
{
    /// <summary>Reads <c>pkg/msg/Name</c> or <c>pkg/Name</c> (namespace <c>msg</c>); false if the text is neither.</summary>
    public static bool TryParse(string text, out RosTypeName name)
    {
        string[] parts = text.Split('/');
        name = parts.Length switch
        {
            2 => new(parts[0], "msg", parts[1]),
            3 => new(parts[0], parts[1], parts[2]),
            _ => default,
        };
        return parts.Length is 2 or 3 && Array.TrueForAll(parts, IsIdentifier);
    }

    /// <summary>Reads <c>pkg/msg/Name</c> or <c>pkg/Name</c>.</summary>
    /// <exception cref="FormatException">The text is neither.</exception>
    public static RosTypeName Parse(string text) =>
        TryParse(text, out RosTypeName name)
            ? name
            : throw new FormatException($"'{text}' is not a ROS type name; expected package/Name or package/msg/Name");

    /// <summary>A letter or underscore, then letters, digits and underscores; at most 255 characters.</summary>
    internal static bool IsIdentifier(string text)
    {
        if (text.Length is 0 or > 255 || char.IsAsciiDigit(text[0]))
            return false;
        foreach (char c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '_')
                return false;
        }

        return true;
    }

    /// <summary>The three parts joined by slashes.</summary>
    public override string ToString() => $"{Package}/{Namespace}/{Name}";
}
