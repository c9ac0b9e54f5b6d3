using System.Text.Json.Serialization;

namespace EdgeCloud.Contracts;

/// <summary>
/// A session that never ends by itself and keeps only its newest recordings on the robot. What is older is run over: discarded, unless a
/// trigger pinned it (<see cref="EventClip"/>). Only what is pinned or asked for goes up. At least one limit is given; the narrower one counts.
/// </summary>
public sealed record RingSettings
{
    /// <summary>Segments that ended longer before the newest message are run over; null for no limit of time.</summary>
    public double? Minutes { get; init; }

    /// <summary>The oldest segments are run over while all that are not pinned have more bytes; null for no limit of size.</summary>
    public long? Bytes { get; init; }

    /// <summary>What <see cref="IsValid"/> means, for error messages.</summary>
    public const string Rule = "minutes from 0.1 to 525,600, bytes of at least 1 MiB, or both";

    /// <summary>True when there is a limit and each is one that can be kept.</summary>
    [JsonIgnore]
    public bool IsValid => (Minutes ?? Bytes) is not null && Minutes is null or >= 0.1 and <= 525_600 && Bytes is null or >= 1 << 20;
}
