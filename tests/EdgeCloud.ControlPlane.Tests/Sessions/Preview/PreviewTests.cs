using System.Net;
using System.Text.Json;
using Amazon.S3;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Tests.Flow;
using EdgeCloud.ControlPlane.Tests.Rest;
using EdgeCloud.Testing;
using Npgsql;
using static EdgeCloud.ControlPlane.Tests.Sessions.Preview.PreviewRecording;

namespace EdgeCloud.ControlPlane.Tests.Sessions.Preview;

/// <summary>What of a recording can be looked at, against what the test put into it: over the real broker, bucket and database.</summary>
[Collection(nameof(ControlPlaneCollection))]
public sealed class PreviewTests(ControlPlaneProcess plane, MosquittoBroker broker, S3Server s3) : IAsyncLifetime
{
    private const long Start = 1_767_225_600_000_000_000;
    private const long Millisecond = 1_000_000;
    private static int _robots;

    private ApiClient _api = null!;
    private ScriptedRobot _robot = null!;
    private SessionManifest _session = null!;

    public async ValueTask InitializeAsync()
    {
        _api = await ApiClient.LoginAsync(plane);
        _robot = await ScriptedRobot.ConnectAsync($"seen-{Interlocked.Increment(ref _robots)}", broker, s3, plane.Bucket);
        _session = _robot.Session(Guid.CreateVersion7());
        await _robot.AnnounceAsync(_session);
        await _robot.AnswerAsync(_session.Session, null, CustodyDecision.Noted);
    }

    public async ValueTask DisposeAsync()
    {
        TestContext.Current.TestOutputHelper?.WriteLine(plane.Output);
        await _robot.DisposeAsync();
        _api.Dispose();
    }

    private string Path(string rest) => $"/api/v1/sessions/{_session.Session}/preview/{rest}";

    /// <summary>A wave at 1 kHz with values that are no number, beside a camera that makes the segment large.</summary>
    private static List<MadeMessage> Wave(long fromNs, int count)
    {
        var camera = new byte[60_000];
        new Random(1).NextBytes(camera);
        var messages = new List<MadeMessage>();
        for (var i = 0; i < count; i++)
        {
            var value = i % 1000 == 500 ? double.NaN : 10 * Math.Sin((fromNs / 1e9 % 1000) + (i / 50.0)) + (i % 7);
            messages.Add(new MadeMessage("/sample", fromNs + (i * Millisecond), Sample(value)));
            if (i % 100 == 0)
                messages.Add(new MadeMessage("/image", fromNs + (i * Millisecond) + 1, Image(200, 100, "rgb8", 600, camera)));
        }
        return messages;
    }

    private static double ValueOf(MadeMessage message) => BitConverter.ToDouble(message.Data, 12);

    [Fact]
    public async Task A_plot_is_the_least_and_the_greatest_of_each_column_of_what_was_recorded()
    {
        var (first, second) = (Wave(Start, 3000), Wave(Start + (5000 * Millisecond), 3000));
        await DeliverAsync(_robot, Segment(_robot, _session, 1, first));
        await DeliverAsync(_robot, Segment(_robot, _session, 2, second, lost: 4));
        const int Columns = 400;

        var plot = await _api.GetAsync<SeriesView>(Path($"series?field=/sample:value&columns={Columns}"));

        Assert.True(plot.Complete);
        Assert.Empty(plot.Holes);
        var line = Assert.Single(plot.Series);
        var samples = first.Concat(second).Where(m => m.Topic == "/sample").ToList();
        Assert.Equal((samples.Count, 6L, "m/s"), (line.Count, line.NotFinite, line.Unit));
        Assert.Equal([new SeriesLoss(Start + (5000 * Millisecond), second[^1].LogTimeNs, 4, "queue")], line.Losses);
        int ColumnOf(long ns) => (int)((Int128)(ns - plot.FromNs) * Columns / (plot.ToNs - plot.FromNs));
        var expected = samples.Where(m => double.IsFinite(ValueOf(m))).GroupBy(m => ColumnOf(m.LogTimeNs))
            .ToDictionary(g => g.Key, g => (Min: g.Min(ValueOf), Max: g.Max(ValueOf)));
        var actual = line.T.Zip(line.V).Where(p => p.Second is not null).GroupBy(p => ColumnOf(plot.FromNs + p.First))
            .ToDictionary(g => g.Key, g => (Min: g.Min(p => p.Second!.Value), Max: g.Max(p => p.Second!.Value)));
        Assert.Equal(expected.OrderBy(e => e.Key), actual.OrderBy(e => e.Key));
        Assert.Equal(line.T.Order(), line.T);
        // One break, at the hole of two seconds between the segments; a NaN breaks the line only where a column holds nothing else.
        var gap = Assert.Single(line.T.Zip(line.V), p => p.Second is null);
        Assert.InRange(gap.First, 3000 * Millisecond, 5000 * Millisecond);

        // The camera's megabytes are not read for it, and a second look reads no summary again.
        var again = await _api.GetAsync<SeriesView>(Path("series?field=/sample:value"));
        Assert.InRange(again.Read.Requests, 1, 2);
        Assert.InRange(again.Read.Bytes, 1, 400_000);
        Assert.True(first.Sum(m => m.Data.Length) > 1_800_000);
    }

    [Fact]
    public async Task A_plot_zoomed_in_shows_every_value_and_counted_fields_count()
    {
        await DeliverAsync(_robot, Segment(_robot, _session, 1, Wave(Start, 1200)));
        var range = $"from_ns={Start + (498 * Millisecond)}&to_ns={Start + (503 * Millisecond)}";

        var plot = await _api.GetAsync<SeriesView>(Path($"series?field=/sample:value&field=/image:bytes()&field=/sample:interval()&{range}"));

        Assert.Equal([0, Millisecond, 2 * Millisecond, 3 * Millisecond, 4 * Millisecond], plot.Series[0].T);
        Assert.Equal([false, false, true, false, false], plot.Series[0].V.Select(v => v is null));
        Assert.Equal((1L, 1d), (plot.Series[1].Count, plot.Series[1].Min / Image(200, 100, "rgb8", 600, new byte[60_000]).Length));
        Assert.Equal((4L, 0.001), (plot.Series[2].Count, Math.Round(plot.Series[2].Max!.Value, 6)));
    }

    [Fact]
    public async Task A_field_deep_in_large_messages_is_read_from_the_segment_itself()
    {
        await DeliverAsync(_robot, Segment(_robot, _session, 1,
            [.. Enumerable.Range(0, 20).Select(i => new MadeMessage("/sample", Start + (i * Millisecond), Sample(1, ranges: 9000, last: i)))]));

        var plot = await _api.GetAsync<SeriesView>(Path("series?field=/sample:ranges[8999]&field=/sample:ranges[5]&field=/sample:bytes()"));

        Assert.Equal(Enumerable.Range(0, 20).Select(i => (double?)i), plot.Series[0].V);
        Assert.Equal((5d, 5d), (plot.Series[1].Min!.Value, plot.Series[1].Max!.Value));
        Assert.Equal(Sample(1, ranges: 9000).Length, plot.Series[2].Max);
    }

    [Fact]
    public async Task A_message_keeps_every_digit_and_long_arrays_are_cut()
    {
        await DeliverAsync(_robot, Segment(_robot, _session, 1,
        [
            new MadeMessage("/sample", Start, Sample(double.NaN, ulong.MaxValue, "<b>bold</b>", ranges: 5000)),
            new MadeMessage("/sample", Start + Millisecond, Sample(2, 1)),
        ]));

        var text = await (await _api.ReadAsync(Path($"message?topic=/sample&at_ns={Start + 5}"))).Content.ReadAsStringAsync();
        var view = await _api.GetAsync<MessageView>(Path($"message?topic=/sample&at_ns={Start + 5}"));

        Assert.Contains("\"big\":18446744073709551615", text);
        Assert.Equal((Start, "NaN", "<b>bold</b>"), (view.LogTimeNs, view.Message.GetProperty("value").GetString(), view.Message.GetProperty("text").GetString()));
        Assert.Equal([new CutValue("ranges", 5000, 100)], view.Cut);
        Assert.Equal(1UL, (await _api.GetAsync<MessageView>(Path("message?topic=/sample"))).Message.GetProperty("big").GetUInt64());
    }

    [Theory]
    [InlineData("rgb8", 3)]
    [InlineData("bgr8", 3)]
    [InlineData("mono8", 1)]
    public async Task An_image_comes_as_a_png_of_its_very_pixels(string encoding, int channels)
    {
        var data = Enumerable.Range(0, 7 * 5 * channels).Select(i => (byte)(i * 37)).ToArray();
        await DeliverAsync(_robot, Segment(_robot, _session, 1, [new MadeMessage("/image", Start, Image(7, 5, encoding, 7 * channels, data))]));

        var answer = await _api.ReadAsync(Path("frame?topic=/image"));

        Assert.Equal(("image/png", Start.ToString()), (answer.Content.Headers.ContentType!.MediaType, answer.Headers.GetValues("X-Log-Time-Ns").Single()));
        var (width, height, pixels) = PngPixels.Read(await answer.Content.ReadAsByteArrayAsync());
        Assert.Equal((7, 5), (width, height));
        Assert.Equal(encoding == "bgr8" ? data.Chunk(3).SelectMany(p => p.Reverse()) : data, pixels);
        var small = PngPixels.Read(await (await _api.ReadAsync(Path("frame?topic=/image&width=3"))).Content.ReadAsByteArrayAsync());
        Assert.Equal((3, 2), (small.Width, small.Height));
    }

    [Fact]
    public async Task A_compressed_image_passes_through_and_what_is_no_image_is_refused()
    {
        byte[] jpeg = [0xFF, 0xD8, 0xFF, 0xE0, 1, 2, 3];
        await DeliverAsync(_robot, Segment(_robot, _session, 1,
        [
            new MadeMessage("/compressed", Start, new CdrPayload().Header().Text("png").Bytes(jpeg).ToArray()),
            new MadeMessage("/compressed", Start + Millisecond, new CdrPayload().Header().Text("svg").Bytes("<svg onload=alert(1)>"u8.ToArray()).ToArray()),
            new MadeMessage("/image", Start, Image(60_000, 60_000, "rgb8", 1, [1])),
        ]));

        var answer = await _api.ReadAsync(Path($"frame?topic=/compressed&at_ns={Start}"));

        Assert.Equal("image/jpeg", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal(jpeg, await answer.Content.ReadAsByteArrayAsync());
        await RefusesAsync("frame?topic=/compressed", HttpStatusCode.Conflict, "neither JPEG, PNG nor WebP");
        await RefusesAsync("frame?topic=/image", HttpStatusCode.Conflict, "60000 pixels");
    }

    [Fact]
    public async Task Diagnoses_are_lines_that_can_be_filtered()
    {
        await DeliverAsync(_robot, Segment(_robot, _session, 1, [.. Enumerable.Range(0, 30).Select(i => new MadeMessage("/diagnostics", Start + (i * Millisecond),
            new CdrPayload().Header().UInt32(1).Byte((byte)(i == 20 ? 2 : 0)).Text("motor").Text($"turn {i}").Text("m1").UInt32(1).Text("t").Text("41").ToArray()))]));

        var all = await _api.GetAsync<LogView>(Path("log?limit=10"));
        Assert.Equal(Enumerable.Range(0, 10).Select(i => $"turn {29 - i}"), all.Lines.Select(l => l.Text));
        Assert.Equal("t=41", all.Lines[0].Values.Single());
        var older = await _api.GetAsync<LogView>(Path($"log?limit=10&to_ns={all.NextToNs}"));
        Assert.Equal("turn 19", older.Lines[0].Text);
        Assert.Equal(["turn 20"], (await _api.GetAsync<LogView>(Path("log?level=error"))).Lines.Select(l => l.Text));
        Assert.Equal(["turn 7"], (await _api.GetAsync<LogView>(Path("log?q=TURN%207"))).Lines.Select(l => l.Text));
    }

    [Fact]
    public async Task What_does_not_exist_or_makes_no_sense_is_refused_by_name()
    {
        await DeliverAsync(_robot, Segment(_robot, _session, 1, [new MadeMessage("/sample", Start, Sample(1, ranges: 3))]));

        await RefusesAsync("series?field=/sample:volume", HttpStatusCode.BadRequest, "has no field 'volume'; it has big, value, text, ranges");
        await RefusesAsync("series?field=/sample:text", HttpStatusCode.BadRequest, "is text");
        await RefusesAsync("series?field=/sample:ranges", HttpStatusCode.BadRequest, "'ranges[0]'");
        await RefusesAsync("series?field=/sample:points()", HttpStatusCode.BadRequest, "PointCloud2");
        await RefusesAsync("series?field=/nothing:value", HttpStatusCode.NotFound, "'/nothing'");
        await RefusesAsync("series?field=value", HttpStatusCode.BadRequest, "joined by a colon");
        await RefusesAsync("series", HttpStatusCode.BadRequest, "1 to 6");
        await RefusesAsync($"series?{string.Join('&', Enumerable.Repeat("field=/sample:value", 7))}", HttpStatusCode.BadRequest, "1 to 6");
        await RefusesAsync("series?field=/sample:value&columns=100000", HttpStatusCode.BadRequest, "1 to 4000");
        await RefusesAsync("series?field=/sample:value&from_ns=5&to_ns=5", HttpStatusCode.BadRequest, "later than from_ns");
        await RefusesAsync("frame?topic=/sample", HttpStatusCode.BadRequest, "images or point clouds");
        await RefusesAsync("log?level=loud", HttpStatusCode.BadRequest, "debug, info, warn, error, fatal");
        Assert.Equal(HttpStatusCode.NotFound, (await _api.ReadAsync($"/api/v1/sessions/{Guid.NewGuid()}/preview/topics")).StatusCode);
        using var nobody = new HttpClient();
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync(plane.Address + Path("series?field=/sample:value"))).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await nobody.GetAsync(plane.Address + Path("frame?topic=/sample"))).StatusCode);
    }

    [Fact]
    public async Task A_segment_that_cannot_be_read_is_a_hole_with_its_reason_and_the_rest_is_shown()
    {
        await DeliverAsync(_robot, Segment(_robot, _session, 1, Wave(Start, 500)));
        await DeliverAsync(_robot, Segment(_robot, _session, 2, Wave(Start + (1000 * Millisecond), 500), bytes => bytes[bytes.Length / 4] ^= 0x55));
        var gone = Segment(_robot, _session, 3, Wave(Start + (2000 * Millisecond), 500));
        await DeliverAsync(_robot, gone);
        var sealedOnly = Segment(_robot, _session, 4, Wave(Start + (3000 * Millisecond), 500));
        await _robot.AnnounceAsync(sealedOnly.Manifest, Custody.Sealed);
        await _robot.AnswerAsync(_session.Session, 4, CustodyDecision.Noted);
        await ForgetPreparedAsync(gone.Manifest);

        var plot = await _api.GetAsync<SeriesView>(Path("series?field=/sample:value"));

        Assert.True(plot.Complete);
        Assert.Equal(500, plot.Series[0].Count);
        Assert.Equal(3, plot.Holes.Count);
        Assert.Contains("segment 2 cannot be read", plot.Holes[0].Reason);
        Assert.Contains("NoSuchKey", plot.Holes[1].Reason);
        Assert.Equal("segment 4 is only on the robot", plot.Holes[2].Reason);
        await RefusesAsync($"message?topic=/sample&at_ns={Start + (2100 * Millisecond)}", HttpStatusCode.Conflict, "Segment 3 cannot be read");
        await RefusesAsync($"message?topic=/sample&at_ns={Start + (3100 * Millisecond)}", HttpStatusCode.Conflict, "sealed");
    }

    [Fact]
    public async Task An_excerpt_that_somebody_deleted_is_made_again()
    {
        var made = Segment(_robot, _session, 1, Wave(Start, 500));
        await DeliverAsync(_robot, made);
        Assert.Equal(500, (await _api.GetAsync<SeriesView>(Path("series?field=/sample:value"))).Series[0].Count);
        using var client = Client();
        foreach (var excerpt in (await client.ListObjectsV2Async(new() { BucketName = plane.Bucket, Prefix = $"derived/excerpts/session={_session.Session:D}/" })).S3Objects)
            await client.DeleteObjectAsync(plane.Bucket, excerpt.Key);

        await Eventually.Holds(
            async () => await _api.GetAsync<SeriesView>(Path("series?field=/sample:value&columns=7")) is { Complete: true, Series: [{ Count: 500 }] },
            TimeSpan.FromSeconds(30), "the plot is whole again");
    }

    private async Task RefusesAsync(string path, HttpStatusCode status, string words)
    {
        var answer = await _api.ReadAsync(Path(path));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == status, $"{path} answered {(int)answer.StatusCode} {text}");
        Assert.Contains(words, JsonDocument.Parse(text).RootElement.GetProperty("detail").GetString());
    }

    /// <summary>Takes a segment's object away, and what was made of it: nobody saw it before.</summary>
    private async Task ForgetPreparedAsync(SegmentManifest manifest)
    {
        await using var data = NpgsqlDataSource.Create(plane.ConnectionString);
        await Eventually.Holds(
            async () =>
            {
                await using var delete = data.CreateCommand(
                    $"delete from segment_excerpts where session_id = '{manifest.Session}' and sequence = {manifest.Sequence}");
                return await delete.ExecuteNonQueryAsync() > 0;
            },
            TimeSpan.FromSeconds(30), "its excerpt was made");
        using var client = Client();
        await client.DeleteObjectAsync(plane.Bucket, manifest.ObjectKey);
    }

    private AmazonS3Client Client() => new(s3.Owner.AccessKey, s3.Owner.SecretKey, new AmazonS3Config
    {
        ServiceURL = s3.Endpoint,
        ForcePathStyle = true,
        AuthenticationRegion = s3.Region,
    });
}
