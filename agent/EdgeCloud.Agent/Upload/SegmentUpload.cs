using System.Security.Cryptography;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Contracts;
using Microsoft.Win32.SafeHandles;

namespace EdgeCloud.Agent.Upload;

/// <summary>
/// Brings one segment and its manifest into the bucket, whatever an earlier attempt left there: an object with the same content is success,
/// parts that are there are not sent again, and an object with other content is an alarm.
/// </summary>
internal sealed class SegmentUpload(ObjectStore store, BandwidthCap cap)
{
    /// <summary>Uploads; when this returns the object was checked by HEAD and its manifest lies beside it.</summary>
    /// <exception cref="StoreException">The store refused; <see cref="StoreFault.Different"/> when another object is there.</exception>
    /// <exception cref="IOException">The segment's file cannot be read.</exception>
    public async Task RunAsync(Segment segment, CancellationToken cancellation)
    {
        var manifest = segment.Manifest;
        if (await store.FindAsync(manifest.ObjectKey, cancellation) is { } present)
            Check(manifest, present);
        else
            await SendAsync(segment, cancellation);
        var folder = manifest.ObjectKey[..(manifest.ObjectKey.LastIndexOf('/') + 1)];
        await store.PutJsonAsync(ObjectKeys.Manifest(folder, manifest.Sequence), ContractJson.Write(manifest), cancellation);
    }

    private async Task SendAsync(Segment segment, CancellationToken cancellation)
    {
        var manifest = segment.Manifest;
        using (var file = File.OpenHandle(segment.MediaPath))
        {
            if (RandomAccess.GetLength(file) != manifest.Bytes)
            {
                throw new StoreException(StoreFault.Different,
                    $"{segment.MediaPath} has {RandomAccess.GetLength(file)} bytes, and {manifest.Bytes} were sealed: it was changed");
            }
            if (manifest.ETag.Contains('-', StringComparison.Ordinal))
                await SendPartsAsync(segment, file, cancellation);
            else
                await SendWholeAsync(manifest, file, cancellation);
        }
        var stored = await store.HeadAsync(manifest.ObjectKey, cancellation)
            ?? throw new StoreException(StoreFault.Passing, $"{store.Place}/{manifest.ObjectKey} is not there after it was stored");
        Check(manifest, stored);
    }

    private async Task SendWholeAsync(SegmentManifest manifest, SafeFileHandle file, CancellationToken cancellation)
    {
        await using var body = new FileRange(file, 0, manifest.Bytes, cap);
        try
        {
            await store.PutNewAsync(manifest.ObjectKey, body, manifest.ETag, manifest.Sha256, cancellation);
        }
        catch (StoreException e) when (e.Fault is StoreFault.AlreadyThere)
        {
            // An earlier attempt whose answer was lost, or a twin: the check that follows tells which.
        }
    }

    private async Task SendPartsAsync(Segment segment, SafeFileHandle file, CancellationToken cancellation)
    {
        var (manifest, partBytes) = (segment.Manifest, segment.State.PartBytes);
        var upload = segment.State.Multipart;
        if (upload is null)
        {
            upload = new MultipartUpload { UploadId = await store.BeginPartsAsync(manifest.ObjectKey, manifest.Sha256, cancellation) };
            segment.Remember(upload);
        }
        try
        {
            var parts = (int)((manifest.Bytes + partBytes - 1) / partBytes);
            for (var number = 1; number <= parts; number++)
            {
                if (upload.Parts.ContainsKey(number))
                    continue;
                var start = (number - 1) * partBytes;
                var etag = await store.PutPartAsync(
                    manifest.ObjectKey, upload.UploadId, number, file, start, Math.Min(partBytes, manifest.Bytes - start), cap, cancellation);
                upload = upload with { Parts = new SortedDictionary<int, string>(upload.Parts.ToDictionary()) { [number] = etag } };
                segment.Remember(upload);
            }
            CheckParts(manifest, upload);
            await store.CompletePartsAsync(manifest.ObjectKey, upload.UploadId, upload.Parts, cancellation);
        }
        catch (StoreException e) when (e.Fault is StoreFault.NoSuchUpload)
        {
            // Completed by a request whose answer was lost (the check that follows finds the object), or aborted: then all starts again.
            segment.Remember(null);
            if (await store.FindAsync(manifest.ObjectKey, cancellation) is null)
                throw new StoreException(StoreFault.Passing, $"{store.Place}/{manifest.ObjectKey}: the server gave up the upload in parts; it starts again");
        }
    }

    /// <summary>The parts as the server has them must make the ETag that was computed when the segment was sealed: else the file was changed.</summary>
    private void CheckParts(SegmentManifest manifest, MultipartUpload upload)
    {
        // Where part ETags are no MD5s (a server that encrypts with its own keys) there is nothing to compare.
        if (upload.Parts.Values.Any(p => p.Length != 32))
            return;
        var hashes = upload.Parts.OrderBy(p => p.Key).SelectMany(p => Convert.FromHexString(p.Value)).ToArray();
        var etag = $"{Convert.ToHexStringLower(MD5.HashData(hashes))}-{upload.Parts.Count}";
        if (etag != manifest.ETag)
            throw Different(manifest, $"its parts make ETag {etag}, and {manifest.ETag} was sealed");
    }

    private void Check(SegmentManifest manifest, StoredObject stored)
    {
        if (stored.Bytes != manifest.Bytes)
            throw Different(manifest, $"it has {stored.Bytes} bytes, and {manifest.Bytes} were sealed");
        if (stored.Sha256 != manifest.Sha256)
            throw Different(manifest, $"its metadata sha256 is '{stored.Sha256}', and '{manifest.Sha256}' was sealed");
        if (stored.ETagIsMd5 && stored.ETag != manifest.ETag)
            throw Different(manifest, $"its ETag is {stored.ETag}, and {manifest.ETag} was sealed");
    }

    private StoreException Different(SegmentManifest manifest, string difference) =>
        new(StoreFault.Different, $"{store.Place}/{manifest.ObjectKey} is another object: {difference}");
}
