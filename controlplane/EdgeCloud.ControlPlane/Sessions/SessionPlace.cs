using System.Globalization;
using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// The place of a session in the bucket, read from a key that a robot announced. A robot may only speak of its own prefix, and of a
/// session in one place, else it could have another robot's objects checked, shown or exported as its own.
/// </summary>
internal static class SessionPlace
{
    /// <summary>The date in <paramref name="objectPrefix"/>, which must be the session's folder as <see cref="ObjectKeys"/> makes it.</summary>
    /// <exception cref="ContractException">It is something else.</exception>
    public static DateOnly DateOf(string root, string robot, Guid session, string objectPrefix)
    {
        var start = ObjectKeys.RobotPrefix(root, robot) + "date=";
        var end = $"/session={session:D}/";
        if (objectPrefix.Length == start.Length + "yyyy-MM-dd".Length + end.Length
            && objectPrefix.StartsWith(start, StringComparison.Ordinal)
            && objectPrefix.EndsWith(end, StringComparison.Ordinal)
            && DateOnly.TryParseExact(objectPrefix.AsSpan(start.Length, "yyyy-MM-dd".Length), "yyyy-MM-dd", CultureInfo.InvariantCulture,
                DateTimeStyles.None, out var date))
        {
            return date;
        }
        throw new ContractException($"its place in the bucket is '{objectPrefix}'; '{start}yyyy-mm-dd{end}' is expected");
    }

    /// <summary>The session's folder of a segment's <paramref name="objectKey"/>.</summary>
    /// <exception cref="ContractException">The key is not the one of that <paramref name="sequence"/>.</exception>
    public static string FolderOf(string objectKey, int sequence)
    {
        var folder = objectKey[..(objectKey.LastIndexOf('/') + 1)];
        return objectKey == ObjectKeys.Segment(folder, sequence)
            ? folder
            : throw new ContractException($"its object key is '{objectKey}'; it must end with '{ObjectKeys.Segment("", sequence)}'");
    }
}
