using EdgeCloud.Export.Reading;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Testing;

namespace EdgeCloud.Export.Tests;

/// <summary>What is read ahead is right, and every buffer goes back to the pool once and by the end.</summary>
public sealed class ReadAheadTests
{
    private const int Window = 1000;
    private static readonly byte[] File = [.. Enumerable.Range(0, 10_500).Select(i => (byte)(i * 31 >> 3))];

    [Theory]
    [InlineData("0+10500")] // all at once
    [InlineData("0+700,700+700,1400+900,2300+4000,6300+4200")] // on and on to the end
    [InlineData("0+100,5000+100,9000+100,9100+1400")] // with jumps
    [InlineData("0+2500,9900+600,0+10")] // and back
    [InlineData("10499+1")]
    [InlineData("0+1")] // given up with a request under way
    public async Task Bytes_are_those_of_the_file_and_buffers_come_back(string reads)
    {
        var pool = new CountingPool();
        await using (var source = new ReadAheadSource(new MemoryByteSource(File, "file"), Window, pool) { ReadsAhead = true })
        {
            foreach (var read in reads.Split(','))
            {
                var (offset, length) = (int.Parse(read.Split('+')[0]), int.Parse(read.Split('+')[1]));
                var target = new byte[length];
                await source.ReadAsync(offset, target, TestContext.Current.CancellationToken);
                Assert.Equal(File[offset..(offset + length)], target);
            }
            Assert.InRange(pool.Out, 1, 2);
        }
        Assert.Equal(0, pool.Out);
        Assert.InRange(pool.Rented, 1, 2);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4)]
    public async Task A_request_that_fails_costs_no_buffer(int good)
    {
        var pool = new CountingPool();
        await using (var source = new ReadAheadSource(new FailingSource(good), Window, pool) { ReadsAhead = true })
        {
            for (var attempt = 0; attempt < 2; attempt++)
                await Assert.ThrowsAsync<IOException>(() => source.ReadAsync(0, new byte[File.Length], TestContext.Current.CancellationToken).AsTask());
        }
        Assert.Equal(0, pool.Out);
    }

    [Fact]
    public async Task A_cursor_takes_its_chunks_from_the_pool_and_gives_them_back()
    {
        var pool = new CountingPool();
        await using (var reader = await McapIndexedReader.OpenAsync(
            new FileCopy(Samples.Simulated), new McapIndexedReaderOptions { Buffers = pool }, cancellationToken: TestContext.Current.CancellationToken))
        {
            foreach (var take in new[] { 1, 500, int.MaxValue })
            {
                await using var cursor = reader.ReadMessages().GetAsyncEnumerator(TestContext.Current.CancellationToken);
                for (var i = 0; i < take && await cursor.MoveNextAsync(); i++)
                    Assert.InRange(pool.Out, 1, 64);
            }
        }
        Assert.Equal(0, pool.Out);
        Assert.True(pool.Rented > 0);
    }

    /// <summary>Has its bytes in memory and does not say so.</summary>
    private sealed class FileCopy(byte[] file) : IByteSource
    {
        public long Length => file.Length;

        public string Name => "copy";

        public ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default)
        {
            file.AsMemory((int)offset, target.Length).CopyTo(target);
            return ValueTask.CompletedTask;
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private sealed class FailingSource(int good) : IByteSource
    {
        private int _requests;

        public long Length => File.Length;

        public string Name => "failing";

        public async ValueTask ReadAsync(long offset, Memory<byte> target, CancellationToken cancellationToken = default)
        {
            await Task.Yield();
            if (_requests++ >= good)
                throw new IOException("the line is cut");
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
