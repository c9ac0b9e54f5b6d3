using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Tests.Catalogue;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Exports;

/// <summary>How much one user may have: exports that are made at a time, bytes that one of them reads, bytes that all of them hold.</summary>
public sealed class ExportLimitsTests(CatalogueDatabase catalogue, S3Server s3) : IClassFixture<CatalogueDatabase>
{
    [Fact]
    public async Task So_many_exports_of_a_user_are_made_at_a_time_by_whatever_key_and_those_of_others_do_not_wait_for_them()
    {
        using var bench = await ExportBench.NewAsync(catalogue, s3, ExportBench.AnyPolicy with { RunningPerUser = 2 });
        var recording = await bench.RecordAsync(1);
        List<Guid> mine = [];
        foreach (var actor in new Actor[] { new("user:many"), new("key:many/ci"), new("user:many"), new("key:many/ci") })
            mine.Add((await bench.Queue.AddAsync(Request(recording), actor, default)).Id);
        var other = await bench.Queue.AddAsync(Request(recording), new Actor("user:many-others"), default);

        await bench.BeginAsync();
        await bench.BeginAsync();
        Assert.Equal([ExportState.Running, ExportState.Running, ExportState.Queued, ExportState.Queued], await StatesAsync(bench, mine));
        Assert.Equal(ExportState.Running, (await bench.GetAsync(other.Id)).State);

        await bench.Queue.CancelAsync(mine[0], new Actor("user:many"), default);
        await bench.BeginAsync();
        Assert.Equal([ExportState.Cancelled, ExportState.Running, ExportState.Running, ExportState.Queued], await StatesAsync(bench, mine));
    }

    [Fact]
    public async Task An_export_that_would_read_more_bytes_than_one_may_is_refused()
    {
        using var small = await ExportBench.NewAsync(catalogue, s3);
        var recording = await small.RecordAsync(2);
        var bytes = recording.Segments.Sum(s => s.Bytes);
        using var exact = await ExportBench.NewAsync(catalogue, s3, ExportBench.AnyPolicy with { BytesPerExport = bytes });
        using var less = await ExportBench.NewAsync(catalogue, s3, ExportBench.AnyPolicy with { BytesPerExport = bytes - 1 });

        var refused = await Assert.ThrowsAsync<RequestException>(() => less.Queue.AddAsync(Request(recording), new Actor("user:large"), default));
        Assert.Contains("one export may read", refused.Message);
        Assert.Contains("one export may read", (await less.Queue.EstimateAsync(Request(recording), new Actor("user:large"), default)).Refusal);
        await exact.Queue.AddAsync(Request(recording), new Actor("user:large"), default);
    }

    [Fact]
    public async Task What_a_users_exports_hold_together_is_limited_until_one_is_given_up()
    {
        using var any = await ExportBench.NewAsync(catalogue, s3);
        var recording = await any.RecordAsync(1);
        // Before anybody planned it, so that what is asked for at one moment counts, too.
        using var bench = await ExportBench.NewAsync(catalogue, s3, ExportBench.AnyPolicy with { BytesPerUser = 2 * recording.Segments[0].Bytes - 1 });
        var first = (await bench.Queue.AddAsync(Request(recording), ExportBench.Alice, default)).Id;

        var refused = await Assert.ThrowsAsync<RequestException>(() => bench.Queue.AddAsync(Request(recording), new Actor("key:alice/ci"), default));
        Assert.Contains("The exports of alice hold", refused.Message);
        await bench.Queue.AddAsync(Request(recording), new Actor("user:bob"), default);

        await bench.Queue.CancelAsync(first, ExportBench.Alice, default);
        await bench.Queue.AddAsync(Request(recording), new Actor("key:alice/ci"), default);
    }

    private static ExportRequest Request(StoredRecording recording) => new() { Sessions = [recording.Session] };

    private static async Task<IReadOnlyList<ExportState>> StatesAsync(ExportBench bench, IEnumerable<Guid> exports)
    {
        List<ExportState> states = [];
        foreach (var export in exports)
            states.Add((await bench.GetAsync(export)).State);
        return states;
    }
}
