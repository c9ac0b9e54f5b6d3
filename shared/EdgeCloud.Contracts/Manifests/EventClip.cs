namespace EdgeCloud.Contracts;

/// <summary>
/// What makes a session an event: a stretch of another session of the same robot, from before a trigger until after it. An event has no segments
/// of its own. It refers to those of its parent, which keep their place there and exist once; while it is not over, they are pinned: never run
/// over, and uploaded. Triggers whose stretches overlap make one event.
/// </summary>
public sealed record EventClip
{
    /// <summary>The longest event that overlapping triggers make, seconds; the next trigger begins a new one.</summary>
    public const int MaxSeconds = 3600;

    /// <summary>The session whose segments hold it.</summary>
    public required Guid Parent { get; init; }
    /// <summary>First log time that belongs to it, ns since the Unix epoch.</summary>
    public required long FromNs { get; init; }
    /// <summary>Last log time that belongs to it, ns since the Unix epoch.</summary>
    public required long ToNs { get; init; }
    /// <summary>What triggered it, in order of arrival.</summary>
    public IReadOnlyList<TriggerNote> Triggers { get; set; } = [];
    /// <summary>The parent's segments that hold any of it; null until the time after the last trigger is over and they are known.</summary>
    public IReadOnlyList<int>? Segments { get; init; }
}

/// <summary>One trigger of an event.</summary>
public sealed record TriggerNote
{
    /// <summary>Log time at which it fired, ns since the Unix epoch.</summary>
    public required long AtNs { get; init; }
    /// <summary>Why, for people: the rule that held, or what whoever asked for it said.</summary>
    public string Reason { get; set; } = "";
    /// <summary>Who fired it: <c>user:alice</c>, <c>rule:diagnostics</c>, <c>mqtt</c>.</summary>
    public string Issuer { get; set; } = "";
    /// <summary>The command that asked for it; null when none did.</summary>
    public Guid? Command { get; init; }
}

/// <summary>A time in which a session was to record and the agent did not run.</summary>
/// <param name="FromNs">The last sign of life before, ns since the Unix epoch.</param>
/// <param name="ToNs">When recording went on, ns since the Unix epoch.</param>
/// <param name="Reason">What is known of the cause.</param>
public sealed record RecordingGap(long FromNs, long ToNs, string Reason);
