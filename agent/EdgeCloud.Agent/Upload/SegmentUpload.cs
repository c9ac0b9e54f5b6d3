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
    private static readonly Func<bool> Always = () => true;

    /// <summary>
    /// Uploads. True when the object was checked by HEAD and its manifest lies beside it; false when <paramref name="mayGoOn"/>, asked before
    /// every part but the first, said no: the parts that are there are remembered.
    /// </summary>
    /// <exception cref="StoreException">The store refused; <see cref="StoreFault.Different"/> when another object is there.</exception>
    /// <exception cref="SegmentAlteredException">The segment's file is not what was sealed.</exception>
    /// <exception cref="SegmentUnreadableException">The segment's file cannot be read.</exception>
    /// <exception cref="IOException">The disk refuses what is to be remembered of it.</exception>
    public async Task<bool> RunAsync(Segment segment, CancellationToken cancellation, Func<bool>? mayGoOn = null)
    {
        var manifest = segment.Manifest;
        if (await store.FindAsync(manifest.ObjectKey, cancellation) is { } present)
        {
            await CheckAsync(manifest, present, cancellation);
            await GiveUpPartsAsync(segment, cancellation);
        }
        else if (!await SendAsync(segment, manifest, mayGoOn ?? Always, cancellation))
        {
            return false;
        }
        var folder = manifest.ObjectKey[..(manifest.ObjectKey.LastIndexOf('/') + 1)];
        await store.PutJsonAsync(ObjectKeys.Manifest(folder, manifest.Sequence), ContractJson.Write(manifest), cancellation);
        return true;
    }

    private async Task<bool> SendAsync(Segment segment, SegmentManifest manifest, Func<bool> mayGoOn, CancellationToken cancellation)
    {
        using (var file = Open(segment, manifest))
        {
            try
            {
                if (!manifest.ETag.Contains('-', StringComparison.Ordinal))
                    await SendWholeAsync(manifest, file, cancellation);
                else if (!await SendPartsAsync(segment, manifest, file, mayGoOn, cancellation))
                    return false;
            }
            catch (StoreException e) when (e.Fault is StoreFault.BadDigest)
            {
                // On its way, or on this disk? Only reading it again tells.
                RequireUnaltered(segment, manifest);
                throw;
            }
        }
        var stored = await store.HeadAsync(manifest.ObjectKey, cancellation)
            ?? throw new StoreException(StoreFault.Passing, $"{store.Place}/{manifest.ObjectKey} is not there after it was stored");
        await CheckAsync(manifest, stored, cancellation);
        return true;
    }

    private async Task SendWholeAsync(SegmentManifest manifest, SafeFileHandle file, CancellationToken cancellation)
    {
        try
        {
            await store.PutNewAsync(manifest.ObjectKey, file, manifest.Bytes, manifest.ETag, manifest.Sha256, cap, cancellation);
        }
        catch (StoreException e) when (e.Fault is StoreFault.AlreadyThere)
        {
            // An earlier attempt whose answer was lost, or a twin: the check that follows tells which.
        }
    }

    private async Task<bool> SendPartsAsync(
        Segment segment, SegmentManifest manifest, SafeFileHandle file, Func<bool> mayGoOn, CancellationToken cancellation)
    {
        var partBytes = segment.State.PartBytes;
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
                if (number > 1 && !mayGoOn())
                    return false;
                var part = await SendPartAsync(segment, manifest, upload.UploadId, number, file, cancellation);
                upload = upload with { Parts = new SortedDictionary<int, UploadedPart>(upload.Parts.ToDictionary()) { [number] = part } };
                segment.Remember(upload);
            }
            if (ETagOf(upload) != manifest.ETag)
            {
                RequireUnaltered(segment, manifest);
                throw Different(manifest, $"its parts make ETag {ETagOf(upload)}, and {manifest.ETag} was sealed");
            }
            await store.CompletePartsAsync(manifest.ObjectKey, upload.UploadId, upload.Parts.Select(p => (p.Key, p.Value.ETag)), cancellation);
        }
        catch (StoreException e) when (e.Fault is StoreFault.NoSuchUpload)
        {
            // Completed by a request whose answer was lost (the check that follows finds the object), or aborted: then all starts again.
            segment.Remember(null);
            await store.AbortPartsAsync(manifest.ObjectKey, upload.UploadId, cancellation);
            if (await store.FindAsync(manifest.ObjectKey, cancellation) is null)
                throw new StoreException(StoreFault.Passing, $"{store.Place}/{manifest.ObjectKey}: the server gave up the upload in parts; it starts again");
        }
        return true;
    }

    private async Task<UploadedPart> SendPartAsync(
        Segment segment, SegmentManifest manifest, string uploadId, int number, SafeFileHandle file, CancellationToken cancellation)
    {
        var start = (number - 1) * segment.State.PartBytes;
        var length = Math.Min(segment.State.PartBytes, manifest.Bytes - start);
        var md5 = segment.Read().PartMd5s is { Count: > 0 } known ? known[number - 1] : await HashAsync(file, start, length, cancellation);
        var etag = await store.PutPartAsync(manifest.ObjectKey, uploadId, number, file, start, length, md5, cap, cancellation);
        return new UploadedPart(etag, md5);
    }

    private static async Task<string> HashAsync(SafeFileHandle file, long start, long length, CancellationToken cancellation)
    {
        await using var content = new FileRange(file, start, length);
        try
        {
            return Convert.ToHexStringLower(await MD5.HashDataAsync(content, cancellation));
        }
        catch (Exception) when (content.Fault is { } fault)
        {
            throw new SegmentUnreadableException(fault);
        }
    }

    /// <summary>What an earlier attempt left unfinished beside an object that is complete.</summary>
    private async Task GiveUpPartsAsync(Segment segment, CancellationToken cancellation)
    {
        if (segment.State.Multipart is not { } parts)
            return;
        await store.AbortPartsAsync(segment.Manifest.ObjectKey, parts.UploadId, cancellation);
        segment.Remember(null);
    }

    /// <summary>The ETag that S3 makes of the parts, by the MD5s with which the server took them.</summary>
    private static string ETagOf(MultipartUpload upload)
    {
        var hashes = upload.Parts.OrderBy(p => p.Key).SelectMany(p => Convert.FromHexString(p.Value.Md5)).ToArray();
        return $"{Convert.ToHexStringLower(MD5.HashData(hashes))}-{upload.Parts.Count}";
    }

    private static SafeFileHandle Open(Segment segment, SegmentManifest manifest)
    {
        SafeFileHandle file;
        try
        {
            file = File.OpenHandle(segment.MediaPath);
        }
        catch (FileNotFoundException)
        {
            throw new SegmentAlteredException($"{segment.MediaPath} is gone: somebody deleted it before it was delivered");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SegmentUnreadableException(e);
        }
        var bytes = RandomAccess.GetLength(file);
        if (bytes == manifest.Bytes)
            return file;
        file.Dispose();
        throw new SegmentAlteredException($"{segment.MediaPath} has {bytes} bytes, and {manifest.Bytes} were sealed: it was changed");
    }

    private static void RequireUnaltered(Segment segment, SegmentManifest manifest)
    {
        string sha256;
        try
        {
            (_, sha256) = SealedFile.Hash(segment.MediaPath);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SegmentUnreadableException(e);
        }
        if (sha256 != manifest.Sha256)
            throw new SegmentAlteredException($"{segment.MediaPath} has SHA-256 {sha256}, and {manifest.Sha256} was sealed: it was changed");
    }

    private async Task CheckAsync(SegmentManifest manifest, StoredObject stored, CancellationToken cancellation)
    {
        if (stored.Bytes != manifest.Bytes)
            throw Different(manifest, $"it has {stored.Bytes} bytes, and {manifest.Bytes} were sealed");
        if (stored.Sha256 != manifest.Sha256)
            throw Different(manifest, $"its metadata sha256 is '{stored.Sha256}', and '{manifest.Sha256}' was sealed");
        if (stored.ETag == manifest.ETag)
            return;
        // Not every server makes ETags of MD5s, and one that does not cannot be told from an object of other content: the server's own
        // checksum tells, or else reading the object.
        var sha256 = stored.Checksum.Length > 0 ? stored.Checksum : await store.ReadHashAsync(manifest.ObjectKey, cancellation);
        if (sha256 != manifest.Sha256)
            throw Different(manifest, $"its content has SHA-256 {sha256}, and {manifest.Sha256} was sealed");
    }

    private StoreException Different(SegmentManifest manifest, string difference) =>
        new(StoreFault.Different, $"{store.Place}/{manifest.ObjectKey} is another object: {difference}");
}
