namespace EdgeCloud.Contracts;

/// <summary>The robot's present state, retained on <c>state</c>. The Last Will is the same message with <see cref="Online"/> false.</summary>
public sealed record StateMessage : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.state/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Who speaks; must equal the topic's robot.</summary>
    public required string Robot { get; init; }
    /// <summary>When, in the order of what this robot says.</summary>
    public required Revision Revision { get; init; }
    /// <summary>False in the Last Will and in the farewell of a clean stop.</summary>
    public required bool Online { get; init; }
    /// <summary>Robot's wall clock, ns since the Unix epoch.</summary>
    public required long TimeNs { get; init; }
    /// <summary>Version of the agent.</summary>
    public required string AgentVersion { get; init; }
    /// <summary>The kernel's boot id.</summary>
    public string BootId { get; set; } = "";
    /// <summary>The configured source, such as <c>simulated</c>.</summary>
    public string Source { get; set; } = "";
    /// <summary>Sessions that are not over.</summary>
    public IReadOnlyList<SessionStatus> Sessions { get; set; } = [];
    /// <summary>Topics that the source offers now.</summary>
    public IReadOnlyList<OfferedTopic> Topics { get; set; } = [];
    /// <summary>Conditions that need a person, such as <c>upload refused: 403</c>.</summary>
    public IReadOnlyList<string> Alarms { get; set; } = [];
}

/// <summary>A session as the robot sees it now.</summary>
public sealed record SessionStatus
{
    /// <summary>Session id.</summary>
    public required Guid Session { get; init; }
    /// <summary>Its name for people.</summary>
    public string Name { get; set; } = "";
    /// <summary>Its state.</summary>
    public required SessionState State { get; init; }
    /// <summary>Start, ns since the Unix epoch.</summary>
    public required long StartedNs { get; init; }
    /// <summary>Messages recorded so far.</summary>
    public long Messages { get; init; }
    /// <summary>Messages lost so far (see <see cref="LedgerEntry.Lost"/>).</summary>
    public long Lost { get; init; }
    /// <summary>The durability bound: at most this much of the newest data is at risk in a power cut, ms.</summary>
    public int BoundMs { get; init; }
}

/// <summary>A topic that can be recorded.</summary>
/// <param name="Topic">Topic name.</param>
/// <param name="Type">Type name; empty when unknown.</param>
/// <param name="Class">How much it matters on the robot.</param>
public sealed record OfferedTopic(string Topic, string Type, TopicClass Class = TopicClass.Normal);
