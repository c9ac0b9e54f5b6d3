namespace EdgeCloud.Contracts;

/// <summary>The life of a session.</summary>
public enum SessionState
{
    /// <summary>Messages are being recorded.</summary>
    Recording,
    /// <summary>Subscribed, counting what passes, recording nothing.</summary>
    Paused,
    /// <summary>No longer recording; segments are still being sealed or delivered.</summary>
    Finishing,
    /// <summary>Every segment is acknowledged, discarded or quarantined.</summary>
    Finished,
    /// <summary>Given up by command; what was not uploaded is discarded.</summary>
    Cancelled,
    /// <summary>Stopped by an error, which is stated.</summary>
    Failed,
}
