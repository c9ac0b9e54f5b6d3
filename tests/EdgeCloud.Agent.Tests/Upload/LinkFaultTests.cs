using System.Collections.Concurrent;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Upload;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.Agent.Tests.Upload;

/// <summary>
/// A link that cuts, resets, swallows, corrupts, delays and throttles at random bytes, of requests and of answers, while segments go up in one
/// request and in parts; between attempts the agent dies now and then. Each case is its seed: EDGECLOUD_UPLOAD_SEEDS sets how many,
/// EDGECLOUD_UPLOAD_SEED the first.
/// </summary>
[Collection(Servers.Name)]
public sealed class LinkFaultTests(S3Server s3)
{
    // The test's server takes parts of this size; see infra/stack/radosgw.
    private const int PartBytes = 64 << 10;
    private const int FaultsPerSeed = 6, Parallel = 4;
    private static readonly TimeSpan StallLimit = TimeSpan.FromSeconds(1);

    [Fact]
    public async Task Whatever_the_link_does_each_segment_is_there_once_byte_for_byte_and_no_upload_is_left_open()
    {
        var seeds = int.Parse(Environment.GetEnvironmentVariable("EDGECLOUD_UPLOAD_SEEDS") ?? "200");
        var first = int.Parse(Environment.GetEnvironmentVariable("EDGECLOUD_UPLOAD_SEED") ?? "1");
        await using var bench = await UploadBench.CreateAsync(s3);
        var segments = Enumerable.Range(first, seeds).Select(seed => (seed, bench.AddSegment(SizeOf(seed), seed, partBytes: PartBytes))).ToList();
        var failures = new ConcurrentBag<string>();
        var faults = new ConcurrentBag<LinkFault>();

        await System.Threading.Tasks.Parallel.ForEachAsync(segments, new ParallelOptions { MaxDegreeOfParallelism = Parallel }, async (each, _) =>
        {
            if (await DeliverAsync(bench, each.seed, each.Item2, faults) is { Length: > 0 } failure)
                failures.Add($"seed {each.seed}: {failure}");
        });

        Assert.Empty(failures);
        Assert.Equal(Enum.GetValues<LinkFault>().Length - 1, faults.Distinct().Count());
        await new AbandonedUploads(
            SessionBook.Open(bench.Recording.Configuration.DataDir, _ => { }), bench.Store(), ObjectKeys.RobotPrefix(UploadBench.Prefix, "amr-01"), NullLogger.Instance)
            .LookAsync(DateTimeOffset.UtcNow, TestContext.Current.CancellationToken);
        Assert.Equal(0, await bench.OpenMultipartUploadsAsync());
        Assert.Equal(
            segments.SelectMany(s => (string[])[s.Item2.Manifest.ObjectKey, s.Item2.Manifest.ObjectKey.Replace(".mcap", ".manifest.json", StringComparison.Ordinal)]).Order(StringComparer.Ordinal),
            (await bench.KeysAsync()).Order(StringComparer.Ordinal));
    }

    /// <summary>Tries until it is there; answers what is wrong, empty when nothing is.</summary>
    private async Task<string> DeliverAsync(UploadBench bench, int seed, Segment segment, ConcurrentBag<LinkFault> faults)
    {
        var random = new Random(seed);
        var left = FaultsPerSeed;
        await using var link = new MisbehavingLink(new Uri(s3.Endpoint).Port, () =>
        {
            if (left-- <= 0)
                return default;
            var kind = (LinkFault)random.Next(1, Enum.GetValues<LinkFault>().Length);
            faults.Add(kind);
            // Answers are small, and there are as many as requests.
            var upwards = random.Next(2) == 0;
            return new PlannedFault(kind, upwards, random.NextInt64(0, upwards ? segment.Manifest.Bytes + 6000 : 4000));
        });
        var state = segment;
        List<string> errors = [];
        var wasSentTwice = false;
        using var store = new ObjectStore(bench.Settings with { Endpoint = $"http://127.0.0.1:{link.Port}" }, StallLimit);
        for (var attempt = 1; attempt <= 60; attempt++)
        {
            var before = state.State.Multipart;
            try
            {
                await new SegmentUpload(store, new BandwidthCap(0, TimeProvider.System)).RunAsync(state, default);
                var (sha256, metadata) = await bench.ReadAsync(segment.Manifest.ObjectKey);
                return sha256 != segment.Manifest.Sha256 || metadata != segment.Manifest.Sha256 ? $"the object is another one after {string.Join("; ", errors)}"
                    : wasSentTwice ? $"a finished part went up again after {string.Join("; ", errors)}" : "";
            }
            catch (StoreException e)
            {
                errors.Add($"{e.Fault}: {e.Message}");
            }
            // Parts are forgotten only when the server has forgotten them, or says that they are none of its.
            var after = state.State.Multipart;
            wasSentTwice |= before is not null && after?.UploadId == before.UploadId && before.Parts.Any(p => after.Parts.GetValueOrDefault(p.Key) != p.Value);
            if (random.Next(3) == 0)
                state = Segment.Load(segment.Session, Path.ChangeExtension(segment.MediaPath, ".json"));
        }
        return $"it does not get through: {string.Join("; ", errors.TakeLast(5))}";
    }

    private static int SizeOf(int seed) => (seed % 3) switch
    {
        0 => 1 + seed * 997 % PartBytes,
        1 => 2 * PartBytes + 1 + seed * 7919 % PartBytes,
        _ => 4 * PartBytes + seed * 7919 % PartBytes,
    };
}
