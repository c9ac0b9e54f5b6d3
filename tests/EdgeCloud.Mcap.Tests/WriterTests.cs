using EdgeCloud.Mcap.Writing;

namespace EdgeCloud.Mcap.Tests;

public sealed class WriterTests
{
    [Fact]
    public void A_writer_that_failed_refuses_further_writes()
    {
        var writer = new McapWriter(new FullDisk(), new() { ChunkBytes = 100 });
        var channel = writer.AddChannel(0, "/a", "raw").Id;
        Assert.Throws<IOException>(() => writer.WriteMessage(channel, 0, 1, 1, new byte[200]));
        var refused = Assert.Throws<InvalidOperationException>(() => writer.WriteMessage(channel, 1, 2, 2, []));
        Assert.Contains("refuses further writes: no space left", refused.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(writer.Finish);
        writer.Dispose();
    }

    [Fact]
    public void What_the_specification_forbids_is_refused()
    {
        using var writer = new McapWriter(new MemoryStream());
        Assert.Throws<InvalidOperationException>(() => writer.Write(new Schema(0, "none", "", default)));
        Assert.Throws<InvalidOperationException>(() => writer.Write(new Channel(1, 7, "/a", "cdr", new Dictionary<string, string>())));
        Assert.Throws<InvalidOperationException>(() => writer.WriteMessage(3, 0, 0, 0, []));
        Assert.Throws<ArgumentOutOfRangeException>(() => writer.WriteApplicationRecord((Opcode)0x7F, []));
        writer.Write(new Schema(1, "one", "ros2msg", default));
        Assert.Throws<InvalidOperationException>(() => writer.Write(new Schema(1, "two", "ros2msg", default)));
        writer.Finish();
        Assert.Throws<InvalidOperationException>(() => writer.AddChannel(1, "/late", "cdr"));
    }

    [Fact]
    public void Appending_and_closing_chunks_allocates_nothing_once_the_buffers_have_grown()
    {
        using var builder = new ChunkBuilder();
        var payload = new byte[300];
        FillAndClose(builder, payload);
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < 20; i++)
            FillAndClose(builder, payload);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
    }

    private static void FillAndClose(ChunkBuilder builder, byte[] payload)
    {
        for (uint i = 0; i < 1000; i++)
            builder.AddMessage((ushort)(i % 7), i, i, i, payload);
        builder.Close(McapCompression.Zstd);
        builder.Reset();
    }

    private sealed class FullDisk : MemoryStream
    {
        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("no space left");
    }
}
