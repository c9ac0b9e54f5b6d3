using System.Text;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.TypeHashes;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Sources.Ros;

/// <summary>
/// Definitions of message types, as recordings carry them: from the configured folders, then the ROS 2 of <c>AMENT_PREFIX_PATH</c>, then
/// what is installed under /opt/ros. A type that is in none of them gets an empty schema of its name, to which a definition can be attached
/// later. Each type is looked up once.
/// </summary>
internal sealed partial class MessageDefinitions(IReadOnlyList<string> folders, ILogger log)
{
    private readonly DefinitionFolders _folders = new(folders);
    private readonly Dictionary<string, Definition> _known = new(StringComparer.Ordinal);
    private readonly HashSet<(string Type, string Hash)> _differing = [];

    private sealed record Definition(SourceSchema Schema, MessageSchema? Parsed, string? Hash);

    /// <summary>The folders to look in, in order.</summary>
    /// <param name="configured">Laid out as <c>{folder}/{package}/msg/{Name}.msg</c>.</param>
    /// <param name="prefixPath"><c>AMENT_PREFIX_PATH</c>; null without one.</param>
    public static IReadOnlyList<string> Folders(IReadOnlyList<string> configured, string? prefixPath)
    {
        const string Installed = "/opt/ros";
        var prefixes = prefixPath?.Split(':', StringSplitOptions.RemoveEmptyEntries) ?? [];
        var distributions = Directory.Exists(Installed) ? Directory.GetDirectories(Installed).Order(StringComparer.Ordinal) : Enumerable.Empty<string>();
        return [.. configured, .. prefixes.Concat(distributions).Select(p => Path.Combine(p, "share")).Distinct()];
    }

    /// <summary>The schema of a type. A definition whose hash differs from the announced one is used, and the difference is a warning.</summary>
    /// <param name="type">Such as <c>sensor_msgs/msg/Imu</c>.</param>
    /// <param name="announcedHash">What publishers say; null when they say nothing.</param>
    /// <param name="topic">Where it was met, for the log.</param>
    public SourceSchema Find(string type, string? announcedHash, string topic)
    {
        if (!_known.TryGetValue(type, out var definition))
        {
            _known.Add(type, definition = Look(type));
            if (definition.Parsed is null)
                LogUnknown(type, topic);
        }
        if (definition.Hash is { } computed && announcedHash is not null && computed != announcedHash && _differing.Add((type, announcedHash)))
            LogDiffers(type, topic, announcedHash, computed);
        return definition.Schema;
    }

    /// <summary>The parsed definition when it is known and has the announced hash, or none was announced.</summary>
    public MessageSchema? Trusted(string type, string? announcedHash) =>
        _known.TryGetValue(type, out var known) && (announcedHash is null || known.Hash == announcedHash) ? known.Parsed : null;

    private Definition Look(string type)
    {
        var none = new Definition(new SourceSchema(type, "", ReadOnlyMemory<byte>.Empty), null, null);
        try
        {
            if (_folders.Find(type) is not { } text)
                return none;
            var data = Encoding.UTF8.GetBytes(text.Text);
            var schema = new SourceSchema(type, text.Encoding, data);
            var parsed = MessageSchema.Parse(type, text.Encoding, data);
            return new Definition(schema, parsed, TypeHash.Compute(parsed));
        }
        catch (Exception e) when (e is DefinitionException or IOException or UnauthorizedAccessException)
        {
            LogUnusable(type, e.Message);
            return none;
        }
    }

    [LoggerMessage(EventId = 601, Level = LogLevel.Warning, Message =
        "No definition of {Type} (topic {Topic}): it is recorded with an empty schema. Definitions are looked for in AMENT_PREFIX_PATH, /opt/ros and source.ros.definitions")]
    private partial void LogUnknown(string type, string topic);

    [LoggerMessage(EventId = 602, Level = LogLevel.Warning, Message =
        "{Type} (topic {Topic}): publishers announce {Announced}, the definition found here has {Computed}; its schema may not fit the messages")]
    private partial void LogDiffers(string type, string topic, string announced, string computed);

    [LoggerMessage(EventId = 603, Level = LogLevel.Warning, Message = "The definition of {Type} cannot be used: {Error}")]
    private partial void LogUnusable(string type, string error);
}
