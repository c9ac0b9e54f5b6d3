namespace EdgeCloud.Contracts;

/// <summary>A warning or error of the agent, on <c>log</c>.</summary>
public sealed record LogMessage : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.log/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Who speaks; must equal the topic's robot.</summary>
    public required string Robot { get; init; }
    /// <summary>Robot's wall clock, ns since the Unix epoch.</summary>
    public required long TimeNs { get; init; }
    /// <summary><c>warning</c>, <c>error</c> or <c>critical</c>.</summary>
    public required string Level { get; init; }
    /// <summary>The part of the agent that speaks, such as <c>upload</c>.</summary>
    public string Source { get; set; } = "";
    /// <summary>One line.</summary>
    public required string Text { get; init; }
}
