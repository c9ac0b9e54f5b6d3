namespace EdgeCloud.Contracts;

/// <summary>Where a segment is and who answers for it. See the custody diagram in <c>ARCHITECTURE.md</c>.</summary>
public enum Custody
{
    /// <summary>Being written on the robot.</summary>
    Open,
    /// <summary>Complete, indexed and synced on the robot.</summary>
    Sealed,
    /// <summary>On its way to S3.</summary>
    Uploading,
    /// <summary>The object is in S3; nobody has checked it yet.</summary>
    Uploaded,
    /// <summary>The control plane checked the object and stored the manifest. Only now may the robot delete its copy.</summary>
    Acknowledged,
    /// <summary>Acknowledged, and deleted on the robot.</summary>
    Released,
    /// <summary>Given up before it was acknowledged, for a stated cause.</summary>
    Discarded,
    /// <summary>Could not be repaired; kept aside on the robot with its reason.</summary>
    Quarantined,
}
