using Amazon.S3.Model;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Upload;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Upload;

[Collection(Servers.Name)]
public sealed class SegmentUploadTests(S3Server s3)
{
    [Theory, InlineData(1000), InlineData(10 << 20), InlineData((10 << 20) + 1), InlineData((15 << 20) + 12345)]
    public async Task A_segment_arrives_byte_for_byte_with_its_hash_its_expected_etag_and_its_manifest(int bytes)
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var segment = bench.AddSegment(bytes);
        await bench.UploadAsync(segment);
        Assert.Equal((segment.Manifest.Sha256, segment.Manifest.Sha256), await bench.ReadAsync(segment.Manifest.ObjectKey));
        var head = await bench.Owner.GetObjectMetadataAsync(bench.Bucket, segment.Manifest.ObjectKey);
        Assert.Equal(segment.Manifest.ETag, head.ETag.Trim('"'));
        using var manifest = await bench.Owner.GetObjectAsync(bench.Bucket, segment.Manifest.ObjectKey.Replace(".mcap", ".manifest.json", StringComparison.Ordinal));
        using var json = new MemoryStream();
        await manifest.ResponseStream.CopyToAsync(json);
        Assert.Equal(segment.Manifest.Sha256, ContractJson.Read<SegmentManifest>(json.ToArray()).Sha256);
        Assert.Equal(0, await bench.OpenMultipartUploadsAsync());
    }

    [Theory, InlineData(1000), InlineData(11 << 20)]
    public async Task An_object_that_is_there_with_the_same_content_is_success(int bytes)
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var segment = bench.AddSegment(bytes);
        await bench.UploadAsync(segment);
        var before = (await bench.Owner.GetObjectMetadataAsync(bench.Bucket, segment.Manifest.ObjectKey)).LastModified;
        await bench.UploadAsync(segment);
        Assert.Equal(before, (await bench.Owner.GetObjectMetadataAsync(bench.Bucket, segment.Manifest.ObjectKey)).LastModified);
    }

    [Fact]
    public async Task An_object_of_other_content_is_an_error_for_people_and_is_not_overwritten()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var segment = bench.AddSegment(1000);
        await bench.Owner.PutObjectAsync(new PutObjectRequest { BucketName = bench.Bucket, Key = segment.Manifest.ObjectKey, ContentBody = "a twin's" });
        var error = await Assert.ThrowsAsync<StoreException>(() => bench.UploadAsync(segment));
        Assert.Equal(StoreFault.Different, error.Fault);
        Assert.True(error.IsPermanent);
        Assert.Contains("is another object: it has 8 bytes, and 1000 were sealed", error.Message, StringComparison.Ordinal);
        using var kept = await bench.Owner.GetObjectAsync(bench.Bucket, segment.Manifest.ObjectKey);
        Assert.Equal("a twin's", await new StreamReader(kept.ResponseStream).ReadToEndAsync());
    }

    [Theory, InlineData(1000, true, 0), InlineData(1000, false, 1), InlineData(11 << 20, true, 1)]
    public async Task Where_ETags_are_no_MD5s_the_servers_checksum_or_the_content_tells(int bytes, bool withChecksums, int reads)
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        await using var foreign = new ForeignETags(s3.Endpoint, withChecksums);
        var segment = bench.AddSegment(bytes);
        await bench.UploadAsync(segment, bench.Settings with { Endpoint = foreign.Endpoint });
        Assert.Equal((segment.Manifest.Sha256, segment.Manifest.Sha256), await bench.ReadAsync(segment.Manifest.ObjectKey));
        Assert.Equal(reads, foreign.Reads);
        Assert.Equal(0, await bench.OpenMultipartUploadsAsync());
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task An_object_that_only_says_that_it_is_the_same_is_another(bool foreignETags)
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        await using var foreign = new ForeignETags(s3.Endpoint, withChecksums: false);
        var segment = bench.AddSegment(1000);
        var twin = new PutObjectRequest
        {
            BucketName = bench.Bucket,
            Key = segment.Manifest.ObjectKey,
            InputStream = new MemoryStream(new byte[1000]),
        };
        twin.Metadata["sha256"] = segment.Manifest.Sha256;
        await bench.Owner.PutObjectAsync(twin);
        var error = await Assert.ThrowsAsync<StoreException>(
            () => bench.UploadAsync(segment, bench.Settings with { Endpoint = foreignETags ? foreign.Endpoint : s3.Endpoint }));
        Assert.Equal(StoreFault.Different, error.Fault);
        Assert.Contains("is another object: its content has SHA-256", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_server_honours_the_condition_that_guards_the_moment_between_looking_and_putting()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var segment = bench.AddSegment(4);
        await bench.Owner.PutObjectAsync(new PutObjectRequest { BucketName = bench.Bucket, Key = segment.Manifest.ObjectKey, ContentBody = "twin" });
        using var file = File.OpenHandle(segment.MediaPath);
        var error = await Assert.ThrowsAsync<StoreException>(() => bench.Store().PutNewAsync(
            segment.Manifest.ObjectKey, file, segment.Manifest.Bytes, segment.Manifest.ETag, segment.Manifest.Sha256,
            new BandwidthCap(0, TimeProvider.System), default));
        Assert.Equal(StoreFault.AlreadyThere, error.Fault);
    }

    [Fact]
    public async Task Parts_that_are_there_are_not_sent_again_after_a_crash()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var segment = bench.AddSegment(23 << 20);
        using var crash = new CancellationTokenSource();
        // Enough passes for two parts, and not for a third.
        var clock = new ManualClock();
        var cap = new BandwidthCap(10 << 20, clock);
        var uploading = bench.UploadAsync(segment, cap: cap, cancellation: crash.Token);
        await Eventually.Holds(() =>
        {
            if (cap.Taken < 11 << 20)
                clock.Advance(TimeSpan.FromMilliseconds(100));
            return segment.State.Multipart?.Parts.Count == 2;
        }, TimeSpan.FromSeconds(60), "two parts");
        await crash.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => uploading);

        // What a restarted agent reads from disk.
        var restarted = Session.Load(bench.Session.Folder).Segments.Single();
        Assert.Equal(segment.State.Multipart!.Parts, restarted.State.Multipart!.Parts);
        // Were the first part sent again, the object would not be the one that was sealed.
        using (var file = File.OpenWrite(restarted.MediaPath))
            file.Write(new byte[5 << 20]);
        await bench.UploadAsync(restarted);
        Assert.Equal((restarted.Manifest.Sha256, restarted.Manifest.Sha256), await bench.ReadAsync(restarted.Manifest.ObjectKey));
        Assert.Equal(0, await bench.OpenMultipartUploadsAsync());
    }

    [Fact]
    public async Task An_upload_that_the_server_gave_up_starts_again()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var segment = bench.AddSegment(11 << 20);
        segment.Remember(new Agent.Sessions.MultipartUpload { UploadId = "2~nothing-of-that-name" });
        var error = await Assert.ThrowsAsync<StoreException>(() => bench.UploadAsync(segment));
        Assert.False(error.IsPermanent);
        Assert.Null(segment.State.Multipart);
        await bench.UploadAsync(segment);
        Assert.Equal(segment.Manifest.Sha256, (await bench.ReadAsync(segment.Manifest.ObjectKey)).Sha256);
    }

    [Theory, InlineData(4000), InlineData(11 << 20)]
    public async Task A_segment_that_was_altered_after_sealing_never_becomes_an_object(int bytes)
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var segment = bench.AddSegment(bytes);
        using (var file = File.OpenWrite(segment.MediaPath))
            file.WriteByte(0xEC);
        var error = await Assert.ThrowsAsync<SegmentAlteredException>(() => bench.UploadAsync(segment));
        Assert.Contains($"and {segment.Manifest.Sha256} was sealed: it was changed", error.Message, StringComparison.Ordinal);
        Assert.Empty(await bench.KeysAsync());
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task A_file_that_the_disk_does_not_give_is_not_the_stores_fault(bool inParts)
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var segment = bench.AddSegment(1000);
        using var unreadable = File.OpenHandle("/proc/self/mem"); // reading it is an input/output error
        var (store, cap, key) = (bench.Store(), new BandwidthCap(0, TimeProvider.System), segment.Manifest.ObjectKey);
        var upload = await store.BeginPartsAsync(key, segment.Manifest.Sha256, default);
        var error = await Assert.ThrowsAsync<SegmentUnreadableException>(() => inParts
            ? store.PutPartAsync(key, upload, 1, unreadable, 0, 1000, segment.Manifest.ETag, cap, default)
            : store.PutNewAsync(key, unreadable, 1000, segment.Manifest.ETag, segment.Manifest.Sha256, cap, default));
        Assert.StartsWith("Input/output error", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Errors_say_whether_waiting_helps()
    {
        await using var bench = await UploadBench.CreateAsync(s3);
        var segment = bench.AddSegment(1000);
        var unreachable = await Assert.ThrowsAsync<StoreException>(
            () => bench.UploadAsync(segment, bench.Settings with { Endpoint = $"http://127.0.0.1:{FreePort.Next()}" }));
        Assert.Equal(StoreFault.Unreachable, unreachable.Fault);
        Assert.Contains("cannot be reached", unreachable.Message, StringComparison.Ordinal);
        foreach (var wrong in (S3Settings[])
            [bench.Settings with { SecretKey = "wrong" }, bench.Settings with { AccessKey = "NOBODY" }, bench.Settings with { Bucket = "no-such-bucket" }])
        {
            var error = await Assert.ThrowsAsync<StoreException>(() => bench.UploadAsync(segment, wrong));
            Assert.Equal(StoreFault.Permanent, error.Fault);
            Assert.DoesNotContain('\n', error.Message);
        }
    }
}
