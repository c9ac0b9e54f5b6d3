using Amazon.S3;
using Amazon.S3.Model;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests.Exports;

/// <summary>The tests of exports share one catalogue, bucket and API; each starts the workers that it needs, and ends them.</summary>
[CollectionDefinition(nameof(ExportStage))]
public sealed class ExportStageCollection : ICollectionFixture<ExportStage>;

/// <summary>A control plane that makes no exports itself, recordings to export, and workers as processes of their own.</summary>
public sealed class ExportStage : IAsyncLifetime
{
    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(3);

    /// <summary>The servers and the control plane.</summary>
    public EdgeCloudSystem System { get; } = EdgeCloudSystem.WithoutWorker();

    /// <summary>The bucket.</summary>
    public AmazonS3Client S3 { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        System.ControlPlane.Settings["Exports__WaitingPerUser"] = "3";
        await System.InitializeAsync();
        S3 = System.S3.Connect();
    }

    public async ValueTask DisposeAsync()
    {
        S3.Dispose();
        await System.DisposeAsync();
    }

    /// <summary>A worker that is missed after some 3 s.</summary>
    public ProductProcess StartWorker(params (string Name, string Value)[] settings) =>
        System.ControlPlane.StartWorker([("Exports__CheckinSeconds", "1"), ("Exports__SweepSeconds", "1"), .. settings]);

    /// <summary>A recording of so many segments of 6 MB.</summary>
    public Task<StoredRecording> RecordAsync(string robot, int segments, int framesPerSegment = 4) =>
        StoredRecording.MakeAsync(System.ControlPlane.ConnectionString, S3, System.ControlPlane.Bucket, robot, segments, framesPerSegment);

    /// <summary>Asks for an export.</summary>
    public Task<ExportView> CreateAsync(ExportRequest request) =>
        System.Api.PostAsync("exports", request, ApiJsonContext.Default.ExportRequest, ApiJsonContext.Default.ExportView);

    /// <summary>An export with its parts.</summary>
    public Task<ExportView> GetAsync(Guid export) => System.Api.GetAsync($"exports/{export}", ApiJsonContext.Default.ExportView);

    /// <summary>Waits until an export is as it should be.</summary>
    public Task<ExportView> WaitAsync(Guid export, Func<ExportView, bool> condition, string description, TimeSpan? deadline = null) => Eventually.Gives(
        async () => await GetAsync(export) is var view && condition(view) ? view : null, deadline ?? Deadline, $"export {export} {description}");

    /// <summary>Waits until an export succeeded; one that failed is an error at once.</summary>
    public async Task<ExportView> SucceedAsync(Guid export, TimeSpan? deadline = null)
    {
        var view = await WaitAsync(export, e => e.State is not (ExportState.Queued or ExportState.Running), "is over", deadline);
        Assert.True(view.State == ExportState.Succeeded, $"{view.State}: {view.Error}");
        return view;
    }

    /// <summary>Asks for a change: cancel, retry or expire.</summary>
    public Task<ExportView> ChangeAsync(Guid export, string deed) =>
        System.Api.PostAsync($"exports/{export}/{deed}", ApiJsonContext.Default.ExportView);

    /// <summary>The files of an export but its manifest, which alone holds ids and times: path and SHA-256, in order.</summary>
    public async Task<IReadOnlyList<(string Path, string Sha256)>> DataFilesAsync(Guid export) =>
        [.. (await FilesAsync(export)).Where(f => f.Path != "manifest.json").Select(f => (f.Path, f.Sha256))];

    /// <summary>The files of an export.</summary>
    public async Task<IReadOnlyList<ExportFileView>> FilesAsync(Guid export) =>
        (await System.Api.GetAsync($"exports/{export}/files?limit=1000", ApiJsonContext.Default.PageExportFileView)).Items;

    /// <summary>Keys of the objects and unfinished uploads of an export that are in the bucket.</summary>
    public async Task<IReadOnlyList<string>> KeysAsync(Guid export)
    {
        var uploads = await S3.ListMultipartUploadsAsync(
            new ListMultipartUploadsRequest { BucketName = System.ControlPlane.Bucket, Prefix = $"exports/{export}/" });
        return [.. await ObjectsAsync(export), .. (uploads.MultipartUploads ?? []).Select(u => u.Key)];
    }

    /// <summary>Keys of the objects of an export that are in the bucket.</summary>
    public async Task<IReadOnlyList<string>> ObjectsAsync(Guid export)
    {
        var objects = await S3.ListObjectsV2Async(new ListObjectsV2Request { BucketName = System.ControlPlane.Bucket, Prefix = $"exports/{export}/" });
        return [.. (objects.S3Objects ?? []).Select(o => o.Key)];
    }

    /// <summary>Puts other bytes in a segment's place, and returns those that were there.</summary>
    public async Task<byte[]> ReplaceAsync(string key, byte[]? bytes)
    {
        using var answer = await S3.GetObjectAsync(System.ControlPlane.Bucket, key);
        using var before = new MemoryStream();
        await answer.ResponseStream.CopyToAsync(before);
        if (bytes is null)
            await S3.DeleteObjectAsync(System.ControlPlane.Bucket, key);
        else
            await RestoreAsync(key, bytes);
        return before.ToArray();
    }

    /// <summary>Puts an object.</summary>
    public Task RestoreAsync(string key, byte[] bytes) => S3.PutObjectAsync(
        new PutObjectRequest { BucketName = System.ControlPlane.Bucket, Key = key, InputStream = new MemoryStream(bytes) });
}
