namespace EdgeCloud.Contracts;

/// <summary>
/// Something that the robot wants marked on its timelines, on <c>log</c>. A repeated delivery is the same event; the robot repeats it until
/// an <see cref="EventAck"/> says that it is kept.
/// </summary>
public sealed record EventMessage : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.event/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Event id (UUIDv7), minted by the robot.</summary>
    public required Guid Id { get; init; }
    /// <summary>Who speaks; must equal the topic's robot.</summary>
    public required string Robot { get; init; }
    /// <summary>The only session that it belongs to; null when it belongs to every session of its moment.</summary>
    public Guid? Session { get; init; }
    /// <summary>When it happened or began, ns since the Unix epoch, in the time of log times.</summary>
    public required long TimeNs { get; init; }
    /// <summary>When it ended, ns since the Unix epoch; null for a moment.</summary>
    public long? EndNs { get; init; }
    /// <summary>A short word that marks are grouped by, such as <c>fall</c>; 1 to 40 characters.</summary>
    public required string Kind { get; init; }
    /// <summary>What happened; may be empty, at most 10,000 characters.</summary>
    public string Text { get; set; } = "";

    /// <summary>Checks what the fields promise.</summary>
    /// <exception cref="ContractException">One of them does not hold it.</exception>
    public void Check()
    {
        if (TimeNs < 0 || EndNs < TimeNs)
            throw new ContractException("its time is negative or its end lies before it");
        if (Kind.Trim().Length is 0 or > 40 || Text.Length > 10_000)
            throw new ContractException("its kind is not 1 to 40 characters, or its text is longer than 10,000");
    }
}

/// <summary>The control plane keeps an event, on <c>custody</c>.</summary>
public sealed record EventAck : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.event-ack/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Robot that is answered.</summary>
    public required string Robot { get; init; }
    /// <summary><see cref="EventMessage.Id"/>.</summary>
    public required Guid Id { get; init; }
}
