using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Writing;
using EdgeCloud.Testing;

namespace EdgeCloud.Mcap.Tests;

/// <summary>Reads over HTTP ranges from a real socket. The server counts what it is asked for.</summary>
public sealed class RemoteReadTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task Ten_seconds_of_a_gibibyte_take_few_requests()
    {
        // 1 GiB in 1024 s of 1 MiB messages: made sparse, since what is not read need not be there.
        const int seconds = 1024;
        var path = Path.Combine(_folder.Path, "large.mcap");
        await WriteSparseAsync(path, seconds);
        Assert.True(new FileInfo(path).Length > 1L << 30);
        await using var server = new RangeServer(path);
        using var client = new HttpClient();
        await using var source = await HttpByteSource.OpenAsync(client, server.Address);
        await using var reader = await McapIndexedReader.OpenAsync(source, new() { AllowScan = false });
        var times = new List<ulong>();
        var window = new McapReadOptions { StartTime = 500_000_000_000, EndTime = 510_000_000_000 };
        await foreach (var message in reader.ReadMessages(window))
            times.Add(message.LogTime);
        Assert.Equal(Enumerable.Range(500, 10).Select(second => (ulong)second * 1_000_000_000), times);
        Assert.Equal(source.RequestCount, server.Requests);
        Assert.InRange(server.Requests, 2, 4);
        Assert.InRange(server.BytesSent, 10 << 20, 13 << 20);
    }

    [Theory]
    [InlineData(MessageOrder.LogTime), InlineData(MessageOrder.ReverseLogTime), InlineData(MessageOrder.File)]
    public async Task What_is_read_over_HTTP_is_what_is_read_from_memory(MessageOrder order)
    {
        var file = SampleFile.Write(new() { ChunkBytes = 2000 }, messages: 3000, jitter: 300);
        var path = Path.Combine(_folder.Path, "small.mcap");
        await File.WriteAllBytesAsync(path, file);
        await using var server = new RangeServer(path);
        using var client = new HttpClient();
        await using var opened = await HttpByteSource.OpenAsync(client, server.Address, tailBytes: 5000);
        await using var reader = await McapIndexedReader.OpenAsync(opened);
        Assert.Equal(await SampleFile.ByIndexAsync(file, new() { Order = order }), await SampleFile.ReadAsync(reader, new() { Order = order }));
        await using (var abandoned = reader.ReadMessages().GetAsyncEnumerator())
            Assert.True(await abandoned.MoveNextAsync());
    }

    [Fact]
    public async Task A_server_that_goes_away_or_falls_silent_is_named()
    {
        var path = Path.Combine(_folder.Path, "small.mcap");
        await File.WriteAllBytesAsync(path, new byte[10_000]);
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(2) };
        var server = new RangeServer(path);
        var name = server.Address.GetLeftPart(UriPartial.Path);
        await using var source = await HttpByteSource.OpenAsync(client, server.Address, tailBytes: 10);
        await server.DisposeAsync();

        var gone = await Assert.ThrowsAsync<HttpRequestException>(() => source.ReadAsync(0, new byte[10]).AsTask());
        Assert.StartsWith($"{name} cannot be reached (", gone.Message);

        // One that accepts and says nothing, and one that stops within its answer.
        foreach (var said in (string[])["", "HTTP/1.1 206 Partial Content\r\nContent-Length: 10\r\nContent-Range: bytes 0-9/10\r\n\r\n12345"])
        {
            using var silent = new TcpListener(IPAddress.Loopback, 0);
            silent.Start();
            var address = new Uri($"http://127.0.0.1:{((IPEndPoint)silent.LocalEndpoint).Port}/file.mcap?signature=secret");
            var opening = Assert.ThrowsAsync<HttpRequestException>(() => HttpByteSource.OpenAsync(client, address).AsTask());
            using var connection = await silent.AcceptTcpClientAsync();
            await connection.GetStream().WriteAsync(Encoding.ASCII.GetBytes(said));
            Assert.Equal($"{address.GetLeftPart(UriPartial.Path)} did not answer within 2 s.", (await opening).Message);
        }
    }

    [Fact]
    public async Task Overlapping_chunks_beyond_the_memory_limit_are_still_read_in_order()
    {
        var file = SampleFile.Write(new() { ChunkBytes = 500 }, messages: 2000, jitter: 5000);
        var limited = await SampleFile.ByIndexAsync(file, readerOptions: new() { OpenBytesMax = 3000 });
        Assert.Equal(SampleFile.Stream(file).OrderBy(message => message.LogTime), limited);
    }

    private static async Task WriteSparseAsync(string path, int seconds)
    {
        var payload = new byte[1 << 20];
        await using var file = new FileStream(path, FileMode.Create);
        await using var writer = new McapWriter(file, new() { Compression = McapCompression.None, ChunkBytes = 1 << 20 });
        var channel = writer.AddChannel(0, "/image", "raw");
        for (var second = 0; second < seconds; second++)
            await writer.WriteMessageAsync(channel.Id, (uint)second, (ulong)second * 1_000_000_000, 0, payload);
    }

    /// <summary>Serves one file with ranges, and counts.</summary>
    private sealed class RangeServer : IAsyncDisposable
    {
        private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
        private readonly CancellationTokenSource _stop = new();
        private readonly string _path;
        private readonly Task _serving;
        private int _requests;
        private long _bytesSent;

        public RangeServer(string path)
        {
            _path = path;
            _listener.Start();
            Address = new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}/file.mcap?signature=secret");
            _serving = ServeAsync();
        }

        public Uri Address { get; }
        public int Requests => Volatile.Read(ref _requests);
        public long BytesSent => Interlocked.Read(ref _bytesSent);

        public async ValueTask DisposeAsync()
        {
            await _stop.CancelAsync();
            _listener.Stop();
            await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _stop.Dispose();
        }

        private async Task ServeAsync()
        {
            var connections = new List<Task>();
            while (!_stop.IsCancellationRequested)
                connections.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
            await Task.WhenAll(connections);
        }

        private async Task AnswerAsync(TcpClient client)
        {
            using var connection = client;
            await using var stream = client.GetStream();
            using var reader = new StreamReader(stream, Encoding.ASCII, leaveOpen: true);
            while (await reader.ReadLineAsync(_stop.Token) is { Length: > 0 })
            {
                var range = "";
                for (string? line; (line = await reader.ReadLineAsync(_stop.Token)) is { Length: > 0 };)
                    range = line.StartsWith("Range: bytes=", StringComparison.OrdinalIgnoreCase) ? line["Range: bytes=".Length..] : range;
                Interlocked.Increment(ref _requests);
                await using var file = File.OpenRead(_path);
                var parts = range.Split('-').Select(part => part.Length == 0 ? -1 : long.Parse(part, CultureInfo.InvariantCulture)).ToArray();
                var from = parts[0] < 0 ? Math.Max(0, file.Length - parts[1]) : parts[0];
                var to = parts[0] < 0 ? file.Length - 1 : parts[1];
                var body = new byte[to - from + 1];
                file.Position = from;
                await file.ReadExactlyAsync(body, _stop.Token);
                var head = $"HTTP/1.1 206 Partial Content\r\nContent-Length: {body.Length}\r\nContent-Range: bytes {from}-{to}/{file.Length}\r\nETag: \"1\"\r\n\r\n";
                // Before it is sent: who has it all may look at once.
                Interlocked.Add(ref _bytesSent, body.Length);
                await stream.WriteAsync(Encoding.ASCII.GetBytes(head), _stop.Token);
                await stream.WriteAsync(body, _stop.Token);
            }
        }
    }
}
