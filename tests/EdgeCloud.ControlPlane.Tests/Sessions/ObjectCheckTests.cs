using System.Security.Cryptography;
using Amazon.S3.Model;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.ControlPlane.Tests.Catalogue;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Sessions;

/// <summary>What makes a segment acknowledged, on servers of both kinds of ETags.</summary>
public sealed class ObjectCheckTests(CatalogueDatabase catalogue, S3Server s3) : IClassFixture<CatalogueDatabase>
{
    private static readonly byte[] Content = "a segment"u8.ToArray();

    [Theory, InlineData(true, 0), InlineData(false, 1)]
    public async Task Where_ETags_are_no_MD5s_the_servers_checksum_or_the_content_tells(bool withChecksums, int reads)
    {
        await using var foreign = new ForeignETags(s3.Endpoint, withChecksums);
        using var bucket = await OpenAsync(foreign.Endpoint);
        await PutAsync(bucket, Content, Content);
        Assert.Equal("", await CompareAsync(bucket));
        Assert.Equal(reads, foreign.Reads);
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task An_object_that_only_says_that_it_is_the_same_is_refused(bool foreignETags)
    {
        await using var foreign = new ForeignETags(s3.Endpoint, withChecksums: false);
        using var bucket = await OpenAsync(foreignETags ? foreign.Endpoint : s3.Endpoint);
        await PutAsync(bucket, "b segment"u8.ToArray(), Content);
        Assert.Contains("the object's content has SHA-256", await CompareAsync(bucket), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_servers_checksum_is_believed_when_it_differs()
    {
        await using var foreign = new ForeignETags(s3.Endpoint, withChecksums: true);
        using var bucket = await OpenAsync(foreign.Endpoint);
        await PutAsync(bucket, "b segment"u8.ToArray(), Content);
        Assert.Contains("the server's SHA-256 of the object is", await CompareAsync(bucket), StringComparison.Ordinal);
        Assert.Equal(0, foreign.Reads);
    }

    private async Task<Bucket> OpenAsync(string endpoint) =>
        new(new BucketSettings(new Uri(endpoint), null, s3.Region, await s3.CreateBucketAsync(), "", s3.Owner.AccessKey, s3.Owner.SecretKey));

    private Task<string> CompareAsync(Bucket bucket) => new ObjectCheck(catalogue, bucket, new CustodySettings(0), TimeProvider.System).CompareAsync(
        new SegmentManifest
        {
            Robot = "amr-01",
            Session = Guid.Empty,
            Sequence = 1,
            ObjectKey = "segment",
            Bytes = Content.Length,
            Sha256 = Convert.ToHexStringLower(SHA256.HashData(Content)),
            ETag = Convert.ToHexStringLower(MD5.HashData(Content)),
            Clock = new ClockFacts { WallNs = 1, MonotonicNs = 1, BootId = "b" },
            AgentVersion = "1",
        },
        readWhole: false, default);

    private static async Task PutAsync(Bucket bucket, byte[] content, byte[] asIf)
    {
        var put = new PutObjectRequest
        {
            BucketName = bucket.Name,
            Key = "segment",
            InputStream = new MemoryStream(content),
            ChecksumSHA256 = Convert.ToBase64String(SHA256.HashData(content)),
        };
        put.Metadata["sha256"] = Convert.ToHexStringLower(SHA256.HashData(asIf));
        await bucket.Client.PutObjectAsync(put);
    }
}
