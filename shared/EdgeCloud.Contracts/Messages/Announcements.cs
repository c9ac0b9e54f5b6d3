namespace EdgeCloud.Contracts;

/// <summary>
/// A change of custody of one segment, on <c>manifest</c>. Repeated until a <see cref="CustodyMessage"/> answers it. The first one goes
/// out when the segment is sealed, before its bytes, so that the portal shows what exists only on the robot.
/// </summary>
public sealed record SegmentAnnouncement : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.segment_announcement/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Who speaks; must equal the topic's robot and the manifest's.</summary>
    public required string Robot { get; init; }
    /// <summary>When, in the order of what this robot says.</summary>
    public required Revision Revision { get; init; }
    /// <summary>Where the segment is now.</summary>
    public required Custody Custody { get; init; }
    /// <summary>Why it was discarded or quarantined; empty otherwise.</summary>
    public string Reason { get; set; } = "";
    /// <summary>The segment.</summary>
    public required SegmentManifest Manifest { get; init; }
}

/// <summary>A session's manifest, on <c>manifest</c>, at every change of state and again until a <see cref="CustodyMessage"/> answers it.</summary>
public sealed record SessionAnnouncement : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.session_announcement/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Who speaks; must equal the topic's robot and the manifest's.</summary>
    public required string Robot { get; init; }
    /// <summary>When, in the order of what this robot says.</summary>
    public required Revision Revision { get; init; }
    /// <summary>The session.</summary>
    public required SessionManifest Manifest { get; init; }
}

/// <summary>The control plane's answer to an announcement, on <c>custody</c>.</summary>
public sealed record CustodyMessage : IContractMessage
{
    /// <inheritdoc/>
    public static string SchemaId => "edgecloud.custody/1";
    /// <inheritdoc/>
    public string Schema { get; set; } = SchemaId;

    /// <summary>Robot that is answered.</summary>
    public required string Robot { get; init; }
    /// <summary>Session.</summary>
    public required Guid Session { get; init; }
    /// <summary>Segment; null when the answer is to a <see cref="SessionAnnouncement"/>.</summary>
    public int? Sequence { get; init; }
    /// <summary>Revision of the announcement that is answered.</summary>
    public required Revision Revision { get; init; }
    /// <summary>
    /// What the control plane made of it: <see cref="CustodyDecision.Noted"/> the manifest is stored and need not be announced again in
    /// this custody state; <see cref="CustodyDecision.Acknowledged"/> the object was checked, the robot may delete its copy;
    /// <see cref="CustodyDecision.Refused"/> the object is missing or differs: back to sealed and upload again.
    /// </summary>
    public required CustodyDecision Decision { get; init; }
    /// <summary>SHA-256 that was checked; the robot ignores an answer about another file.</summary>
    public string Sha256 { get; set; } = "";
    /// <summary>Why it was refused; empty otherwise.</summary>
    public string Reason { get; set; } = "";
}

/// <summary>See <see cref="CustodyMessage.Decision"/>.</summary>
public enum CustodyDecision
{
    /// <summary>Stored, nothing checked.</summary>
    Noted,
    /// <summary>Object checked, manifest stored.</summary>
    Acknowledged,
    /// <summary>Object missing or different.</summary>
    Refused,
}
