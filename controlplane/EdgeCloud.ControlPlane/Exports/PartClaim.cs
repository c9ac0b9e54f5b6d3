using EdgeCloud.Export;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Another worker has the part, or the export was given up: whatever is under way here is for nothing.</summary>
internal sealed class PartLostException() : Exception("The part was taken up by another worker, or its export is over.");

/// <summary>A part that this process works at, and how far it is.</summary>
internal sealed class PartClaim(ExportJob export, ExportPartJob part) : IProgress<ExportProgress>
{
    private readonly Lock _gate = new();
    private ExportProgress _progress;

    public ExportJob Export => export;

    public ExportPartJob Part => part;

    /// <summary>The fencing token: whatever is stored under another one than the row's is refused.</summary>
    public long Fence => part.Fence;

    public ExportProgress Progress
    {
        get
        {
            lock (_gate)
                return _progress;
        }
    }

    public void Report(ExportProgress value)
    {
        lock (_gate)
            _progress = value;
    }
}

/// <summary>How work at a part ended.</summary>
internal abstract record PartEnd
{
    /// <summary>The plan is made: these are the other parts.</summary>
    public sealed record Planned(ExportPlan Plan, string FileName) : PartEnd;

    /// <summary>The files are written.</summary>
    public sealed record Written(PartResult Result, IReadOnlyList<UploadedFile> Files) : PartEnd;

    /// <summary>All files are objects, but the manifest, which makes the export whole.</summary>
    public sealed record Assembled(ExportManifest Manifest, UploadedFile ManifestFile) : PartEnd;

    /// <summary>Somebody else gave up uploads of parts that were done; it cannot be made without them.</summary>
    public sealed record UploadsGone(IReadOnlyList<UploadedFile> Files) : PartEnd;

    /// <summary>It cannot be made.</summary>
    public sealed record Failed(string Error) : PartEnd;

    /// <summary>To be tried again after a pause.</summary>
    public sealed record Later(string Error) : PartEnd;

    /// <summary>To be taken up at once by whoever is free: this process ends.</summary>
    public sealed record HandedOver : PartEnd;
}
