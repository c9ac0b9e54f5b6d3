namespace EdgeCloud.Contracts;

/// <summary>
/// On <c>trigger</c>, to the robot, from any software that may publish there: keep what was recorded around now. Unlike the command
/// <see cref="CommandKind.Trigger"/> it is not answered, and a message that arrives twice extends one event.
/// </summary>
public sealed record TriggerMessage : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.trigger/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Robot that is told; must equal the topic's robot.</summary>
    public required string Robot { get; init; }
    /// <summary>The session whose recordings are meant; null for the one that is live.</summary>
    public Guid? Session { get; init; }
    /// <summary>Why, for people.</summary>
    public string Reason { get; set; } = "";
    /// <summary>How much around now.</summary>
    public TriggerSpan Span { get; set; } = new();
}

/// <summary>How much before and after a trigger belongs to its event.</summary>
public sealed record TriggerSpan
{
    /// <summary>Seconds before, 0 to 3,600.</summary>
    public double PreSeconds { get; set; } = 30;
    /// <summary>Seconds after, 0 to 3,600.</summary>
    public double PostSeconds { get; set; } = 10;

    /// <summary>True when both are what they may be.</summary>
    [System.Text.Json.Serialization.JsonIgnore]
    public bool IsValid => PreSeconds is >= 0 and <= EventClip.MaxSeconds && PostSeconds is >= 0 and <= EventClip.MaxSeconds;
}
