namespace EdgeCloud.Mcap.Reading;

/// <summary>In which order messages are read.</summary>
public enum MessageOrder
{
    /// <summary>By log time, messages of one time in file order.</summary>
    LogTime,
    /// <summary>By log time, latest first: exactly the reverse of <see cref="LogTime"/>.</summary>
    ReverseLogTime,
    /// <summary>As they lie in the file.</summary>
    File,
}

/// <summary>Which messages to read.</summary>
public sealed record McapReadOptions
{
    /// <summary>Everything, by log time.</summary>
    public static McapReadOptions All { get; } = new();

    /// <summary>Least log time, ns.</summary>
    public ulong StartTime { get; init; }

    /// <summary>Log times from here on, ns, are left out; null: none are.</summary>
    public ulong? EndTime { get; init; }

    /// <summary>Which topics; null: all.</summary>
    public Func<string, bool>? Topics { get; init; }

    /// <summary>Which channels; null: all. A channel must pass this and <see cref="Topics"/>.</summary>
    public Func<Channel, bool>? Channels { get; init; }

    /// <summary>In which order.</summary>
    public MessageOrder Order { get; init; }

    /// <summary>Whether the messages of <paramref name="channel"/> are read.</summary>
    public bool Selects(Channel channel) =>
        (Topics is null || Topics(channel.Topic)) && (Channels is null || Channels(channel));

    internal bool Covers(ulong logTime) => logTime >= StartTime && (EndTime is not { } end || logTime < end);
}
