using System.Security.Cryptography;
using Amazon.S3.Model;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.ControlPlane.Tests.Catalogue;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Sessions;

/// <summary>What a certificate says is held against itself and against the bucket.</summary>
public sealed class CertificateTests(CatalogueDatabase catalogue, S3Server s3) : IClassFixture<CatalogueDatabase>
{
    [Fact]
    public void A_session_that_kept_everything_is_without_fault() =>
        Assert.Empty(CertificateCheck.FaultsOf(Certificate(0, [Line(1, 10), Line(2, 5)], new() { Topic = "/a", Received = 15, Recorded = 15 })));

    [Fact]
    public void What_a_rule_leaves_out_is_part_of_what_was_received() =>
        Assert.Empty(CertificateCheck.FaultsOf(Certificate(
            0, [Line(1, 10)], new() { Topic = "/a", Received = 20, Recorded = 10, Limited = 4, Paused = 3, DroppedQueue = 2, DroppedDisk = 1 })));

    [Fact]
    public void Segments_that_a_ring_ran_over_are_not_missing() =>
        Assert.Empty(CertificateCheck.FaultsOf(Certificate(
            70, [Line(71, 10, Custody.Discarded), Line(72, 10), Line(73, 5)], new() { Topic = "/a", Received = 725, Recorded = 725, Discarded = 710 })));

    [Theory]
    [InlineData(0, 2, 15, "segment 1 is missing")]
    [InlineData(70, 72, 725, "segment 71 is missing")]
    [InlineData(70, 71, 714, "says that 714 messages were recorded, and lists segments with 715")]
    [InlineData(0, 1, 14, "says that 14 messages were recorded, and lists segments with 15")]
    public void What_is_missing_is_named(int through, int first, long messages, string fault)
    {
        var discarded = through * 10;
        var certificate = Certificate(through, [Line(first, 10), Line(first + 1, 5)], new() { Topic = "/a", Received = messages, Recorded = messages, Discarded = discarded });
        Assert.Contains(CertificateCheck.FaultsOf(certificate), f => f.Contains(fault, StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_first_segment_after_a_ring_follows_one_that_is_no_more_and_the_next_follows_the_first()
    {
        using var bucket = new Bucket(new BucketSettings(new Uri(s3.Endpoint), null, s3.Region, await s3.CreateBucketAsync(), "", s3.Owner.AccessKey, s3.Owner.SecretKey));
        var check = new CertificateCheck(bucket, new ObjectCheck(catalogue, bucket, new CustodySettings(0), TimeProvider.System));
        var certificate = Certificate(70, [Line(71, 10), Line(72, 5), Line(73, 5)], new() { Topic = "/a", Received = 720, Recorded = 720, Discarded = 700 });
        await PutAsync(bucket, certificate, 71, previous: Hash(70));
        await PutAsync(bucket, certificate, 72, previous: Hash(71));
        await PutAsync(bucket, certificate, 73, previous: Hash(70));

        Assert.Equal("", (await check.CheckAsync(certificate, 0, readWhole: true, default)).Fault);
        Assert.Equal("", (await check.CheckAsync(certificate, 1, readWhole: true, default)).Fault);
        Assert.Contains("the chain is broken", (await check.CheckAsync(certificate, 2, readWhole: true, default)).Fault);
        Assert.Contains("the chain is broken", (await check.CheckAsync(certificate with { RunOverThrough = 0 }, 0, readWhole: true, default)).Fault);
    }

    private static byte[] Content(int sequence) => System.Text.Encoding.UTF8.GetBytes($"segment {sequence}");

    private static string Hash(int sequence) => Convert.ToHexStringLower(SHA256.HashData(Content(sequence)));

    private static CertifiedSegment Line(int sequence, long messages, Custody custody = Custody.Released) =>
        new() { Sequence = sequence, Custody = custody, Sha256 = Hash(sequence), Bytes = Content(sequence).Length, Messages = messages };

    private static SessionManifest Certificate(int through, IReadOnlyList<CertifiedSegment> lines, LedgerEntry ledger) => new()
    {
        Robot = "amr-01",
        Session = Guid.Empty,
        State = SessionState.Finished,
        ObjectPrefix = "robot=amr-01/date=2026-03-01/session=s/",
        StartedNs = 1,
        RunOverThrough = through,
        LastSequence = through + lines.Count,
        Messages = ledger.Recorded,
        Ledger = [ledger],
        Segments = lines,
        AgentVersion = "1",
    };

    private static async Task PutAsync(Bucket bucket, SessionManifest certificate, int sequence, string previous)
    {
        var line = certificate.Segments!.Single(s => s.Sequence == sequence);
        var manifest = new SegmentManifest
        {
            Robot = certificate.Robot,
            Session = certificate.Session,
            Sequence = sequence,
            ObjectKey = ObjectKeys.Segment(certificate.ObjectPrefix, sequence),
            Bytes = line.Bytes,
            Sha256 = line.Sha256,
            PreviousSha256 = previous,
            ETag = Convert.ToHexStringLower(MD5.HashData(Content(sequence))),
            Messages = line.Messages,
            Clock = new ClockFacts { WallNs = 1, MonotonicNs = 1, BootId = "b" },
            AgentVersion = "1",
        };
        var segment = new PutObjectRequest { BucketName = bucket.Name, Key = manifest.ObjectKey, InputStream = new MemoryStream(Content(sequence)) };
        segment.Metadata["sha256"] = line.Sha256;
        await bucket.Client.PutObjectAsync(segment);
        await bucket.Client.PutObjectAsync(new PutObjectRequest
        {
            BucketName = bucket.Name,
            Key = ObjectKeys.Manifest(certificate.ObjectPrefix, sequence),
            InputStream = new MemoryStream(ContractJson.Write(manifest)),
        });
    }
}
