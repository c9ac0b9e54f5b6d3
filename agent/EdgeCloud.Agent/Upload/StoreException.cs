namespace EdgeCloud.Agent.Upload;

/// <summary>What a refusal of the object store means for who asked.</summary>
internal enum StoreFault
{
    /// <summary>Unreachable, busy, timed out: try again.</summary>
    Passing,
    /// <summary>Access denied, no such bucket, bad key: a person has to act. Tried again, slowly.</summary>
    Permanent,
    /// <summary>There is an object under the key already.</summary>
    AlreadyThere,
    /// <summary>The multipart upload is not known (aborted, or completed by a request whose answer was lost).</summary>
    NoSuchUpload,
    /// <summary>The object that is there is not the one that was sent.</summary>
    Different,
}

/// <summary>The object store said no, in one line.</summary>
internal sealed class StoreException(StoreFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public StoreFault Fault { get; } = fault;

    /// <summary>True when only a person can help.</summary>
    public bool IsPermanent => Fault is StoreFault.Permanent or StoreFault.Different;
}
