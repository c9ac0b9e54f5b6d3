using EdgeCloud.Contracts;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>What the page of one segment shows.</summary>
/// <param name="SessionName">Its session's name; may be empty.</param>
/// <param name="Custody">Where it is.</param>
/// <param name="Reason">Why it was discarded, quarantined or refused; empty otherwise.</param>
/// <param name="Lost">Messages lost since the previous segment.</param>
/// <param name="AcknowledgedAt">When its object was checked; null before.</param>
/// <param name="Manifest">What it holds.</param>
/// <param name="HasNext">There is a later one.</param>
public sealed record SegmentDetail(
    string SessionName, Custody Custody, string Reason, long Lost, DateTimeOffset? AcknowledgedAt, SegmentManifest Manifest, bool HasNext);
