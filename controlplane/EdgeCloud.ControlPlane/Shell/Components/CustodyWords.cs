using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Shell.Components;

/// <summary>Where the bytes of a session are, in words.</summary>
public static class CustodyWords
{
    /// <summary>Bytes of which the control plane checked an object.</summary>
    public static long Safe(IReadOnlyDictionary<Custody, long> bytes) =>
        bytes.GetValueOrDefault(Custody.Acknowledged) + bytes.GetValueOrDefault(Custody.Released);

    /// <summary>Bytes of which the only copy is on the robot, as far as anyone knows.</summary>
    public static long OnRobotOnly(IReadOnlyDictionary<Custody, long> bytes) =>
        bytes.GetValueOrDefault(Custody.Open) + bytes.GetValueOrDefault(Custody.Sealed) + bytes.GetValueOrDefault(Custody.Uploading);

    /// <summary>The same in a few words, with the one other thing that matters most: <c>92 % safe, 1.10 GiB on robot</c>.</summary>
    public static string Short(IReadOnlyDictionary<Custody, long> bytes)
    {
        var total = bytes.Values.Sum();
        if (total == 0)
            return "";
        var safe = $"{Formats.Percent(100.0 * Safe(bytes) / total)} safe";
        var gone = bytes.GetValueOrDefault(Custody.Discarded) + bytes.GetValueOrDefault(Custody.Quarantined);
        return gone > 0 ? $"{safe}, {Formats.Bytes(gone)} given up"
            : OnRobotOnly(bytes) > 0 ? $"{safe}, {Formats.Bytes(OnRobotOnly(bytes))} on robot"
            : safe;
    }

    /// <summary>All that there is, such as <c>92 % safe, 1.10 GiB on robot, 58.2 MiB unchecked</c>.</summary>
    public static string Of(IReadOnlyDictionary<Custody, long> bytes)
    {
        var total = bytes.Values.Sum();
        if (total == 0)
            return "nothing announced yet";
        var words = new List<string> { $"{Formats.Percent(100.0 * Safe(bytes) / total)} safe" };
        Add(OnRobotOnly(bytes), "on robot");
        Add(bytes.GetValueOrDefault(Custody.Uploaded), "unchecked");
        Add(bytes.GetValueOrDefault(Custody.Quarantined), "quarantined");
        Add(bytes.GetValueOrDefault(Custody.Discarded), "discarded");
        return string.Join(", ", words);

        void Add(long part, string where)
        {
            if (part > 0)
                words.Add($"{Formats.Bytes(part)} {where}");
        }
    }
}
