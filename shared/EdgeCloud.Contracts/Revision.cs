namespace EdgeCloud.Contracts;

/// <summary>
/// Orders what one robot says about itself, whatever order the broker delivers it in. A receiver applies a message only if its
/// revision is newer than the one it applied last.
/// </summary>
/// <param name="Epoch">
/// Grows with every MQTT connection that the agent makes, and is persisted: <c>max(last epoch + 1, milliseconds since the Unix epoch)</c>,
/// so that neither a restart nor a wiped data folder nor a clock set back makes old news look new.
/// </param>
/// <param name="Number">Counts messages within the epoch, from 1. The Last Will of a connection carries <see cref="WillNumber"/>.</param>
public readonly record struct Revision(long Epoch, long Number) : IComparable<Revision>
{
    /// <summary>2^53 - 1: after everything that was said in the same epoch, and exact in every JSON parser.</summary>
    public const long WillNumber = 9_007_199_254_740_991;

    /// <inheritdoc/>
    public int CompareTo(Revision other) =>
        Epoch != other.Epoch ? Epoch.CompareTo(other.Epoch) : Number.CompareTo(other.Number);

    /// <summary>True when this was said after <paramref name="other"/>.</summary>
    public bool IsNewerThan(Revision other) => CompareTo(other) > 0;
}
