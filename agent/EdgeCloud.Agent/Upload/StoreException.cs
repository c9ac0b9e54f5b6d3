namespace EdgeCloud.Agent.Upload;

/// <summary>What a refusal of the object store means for who asked.</summary>
internal enum StoreFault
{
    /// <summary>No answer came: nothing else will get through now either.</summary>
    Unreachable,
    /// <summary>Busy, timed out, damaged on its way: try again.</summary>
    Passing,
    /// <summary>No such bucket, bad key: a person has to act. Tried again, slowly.</summary>
    Permanent,
    /// <summary>Access to this object is denied: a person has to act, and objects elsewhere may be allowed. Tried again, slowly.</summary>
    Denied,
    /// <summary>There is an object under the key already.</summary>
    AlreadyThere,
    /// <summary>The multipart upload is not known (aborted, or completed by a request whose answer was lost).</summary>
    NoSuchUpload,
    /// <summary>The server says that the body is not what its checksum promises: damaged on its way, or on the robot's disk.</summary>
    BadDigest,
    /// <summary>The object that is there is not the one that was sent: another robot has this one's name.</summary>
    Different,
}

/// <summary>The object store said no, in one line.</summary>
internal sealed class StoreException(StoreFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public StoreFault Fault { get; } = fault;

    /// <summary>True when only a person can help.</summary>
    public bool IsPermanent => Fault is StoreFault.Permanent or StoreFault.Denied or StoreFault.Different;

    /// <summary>True when it says nothing about the object but something about all of them.</summary>
    public bool ConcernsAll => Fault is StoreFault.Unreachable or StoreFault.Permanent;
}

/// <summary>The segment's file is there and the disk does not give it.</summary>
internal sealed class SegmentUnreadableException(Exception inner) : Exception(inner.Message, inner);

/// <summary>The segment's file is not what was sealed, or is gone: it can never become the object that its manifest promises.</summary>
internal sealed class SegmentAlteredException(string message) : Exception(message);
