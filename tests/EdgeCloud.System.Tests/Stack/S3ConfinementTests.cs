using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;
using EdgeCloud.Testing;

namespace EdgeCloud.SystemTests.Stack;

/// <summary>What a robot's S3 key may do and may not do.</summary>
public sealed class S3ConfinementTests(S3Server server) : IAsyncLifetime
{
    private string _bucket = "";
    private AmazonS3Client _robot = null!;
    private AmazonS3Client _owner = null!;

    public async ValueTask InitializeAsync()
    {
        _bucket = await server.CreateBucketAsync();
        _owner = Client(server.Owner);
        _robot = Client(await server.AddRobotAsync(_bucket, "recordings", "amr-01"));
        await server.AddRobotAsync(_bucket, "recordings", "amr-02");
    }

    public ValueTask DisposeAsync()
    {
        _robot.Dispose();
        _owner.Dispose();
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task A_robot_writes_and_reads_below_its_own_prefix_and_the_owner_reads_it()
    {
        const string key = "recordings/robot=amr-01/a.mcap";
        await _robot.PutObjectAsync(Put(key), TestContext.Current.CancellationToken);

        using var asRobot = await _robot.GetObjectAsync(_bucket, key, TestContext.Current.CancellationToken);
        using var asOwner = await _owner.GetObjectAsync(_bucket, key, TestContext.Current.CancellationToken);
        Assert.Equal("payload", await new StreamReader(asRobot.ResponseStream).ReadToEndAsync(TestContext.Current.CancellationToken));
        Assert.Equal("payload", await new StreamReader(asOwner.ResponseStream).ReadToEndAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_robot_uploads_in_parts_lists_them_and_gives_up()
    {
        const string key = "recordings/robot=amr-01/parts.mcap";
        var upload = await _robot.InitiateMultipartUploadAsync(_bucket, key, TestContext.Current.CancellationToken);
        await _robot.UploadPartAsync(
            new UploadPartRequest { BucketName = _bucket, Key = key, UploadId = upload.UploadId, PartNumber = 1, InputStream = new MemoryStream(new byte[100]) },
            TestContext.Current.CancellationToken);

        var parts = await _robot.ListPartsAsync(_bucket, key, upload.UploadId, TestContext.Current.CancellationToken);
        var uploads = await _robot.ListMultipartUploadsAsync(_bucket, "recordings/robot=amr-01/", TestContext.Current.CancellationToken);
        await _robot.AbortMultipartUploadAsync(_bucket, key, upload.UploadId, TestContext.Current.CancellationToken);

        Assert.Equal(100, Assert.Single(parts.Parts).Size);
        Assert.Equal(upload.UploadId, Assert.Single(uploads.MultipartUploads).UploadId);
    }

    [Fact]
    public async Task Another_robots_prefix_is_refused_for_writing_reading_and_listing()
    {
        const string key = "recordings/robot=amr-02/a.mcap";
        await _owner.PutObjectAsync(Put(key), TestContext.Current.CancellationToken);

        await AssertForbidden(() => _robot.PutObjectAsync(Put(key)));
        await AssertForbidden(() => _robot.PutObjectAsync(Put("recordings/robot=amr-012/a.mcap")));
        await AssertForbidden(() => _robot.PutObjectAsync(Put("a.mcap")));
        await AssertForbidden(() => _robot.GetObjectAsync(_bucket, key));
        await AssertForbidden(() => _robot.GetObjectMetadataAsync(_bucket, key));
        await AssertForbidden(() => _robot.InitiateMultipartUploadAsync(_bucket, key));
        await AssertForbidden(() => _robot.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _bucket, Prefix = "recordings/robot=amr-02/" }));
        await AssertForbidden(() => _robot.ListObjectsV2Async(new ListObjectsV2Request { BucketName = _bucket }));
    }

    [Fact]
    public async Task A_robot_deletes_nothing_not_even_its_own()
    {
        const string key = "recordings/robot=amr-01/kept.mcap";
        await _robot.PutObjectAsync(Put(key), TestContext.Current.CancellationToken);

        await AssertForbidden(() => _robot.DeleteObjectAsync(_bucket, key));
    }

    private PutObjectRequest Put(string key) => new() { BucketName = _bucket, Key = key, ContentBody = "payload" };

    private static async Task AssertForbidden(Func<Task> request)
    {
        var refusal = await Assert.ThrowsAnyAsync<AmazonS3Exception>(request);
        // radosgw does not read the body of a PUT that it refuses when the client said 'Expect: 100-continue'. A client that waited in vain for
        // a moment, on a busy machine, has sent it by then, and it is taken for the beginning of the connection's next request.
        for (var again = 0; again < 3 && refusal.StatusCode is (HttpStatusCode.BadRequest or HttpStatusCode.MethodNotAllowed); again++)
            refusal = await Assert.ThrowsAnyAsync<AmazonS3Exception>(request);
        Assert.True(refusal.StatusCode == HttpStatusCode.Forbidden, $"{refusal.StatusCode} {refusal.ErrorCode}: {refusal.Message}");
    }

    private AmazonS3Client Client(S3Key key) => new(
        new BasicAWSCredentials(key.AccessKey, key.SecretKey),
        new AmazonS3Config
        {
            ServiceURL = server.Endpoint,
            AuthenticationRegion = server.Region,
            ForcePathStyle = true,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        });
}
