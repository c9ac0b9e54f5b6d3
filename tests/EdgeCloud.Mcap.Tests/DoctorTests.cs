using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Recovery;
using EdgeCloud.Mcap.Tests.Conformance;
using EdgeCloud.Mcap.Writing;
using EdgeCloud.Testing;

namespace EdgeCloud.Mcap.Tests;

public sealed class DoctorTests
{
    public static TheoryData<string> Layouts => ["chunks", "zstd", "lz4", "no chunks", "no summary"];

    [Fact]
    public async Task Every_file_of_the_conformance_suite_is_sound()
    {
        foreach (var one in ConformanceCase.All)
            await SampleFile.AssertSoundAsync(one.Write(), one.Name);
    }

    [Fact]
    public async Task Every_recording_of_rosbag2_is_sound()
    {
        foreach (var path in Directory.GetFiles(TestData.Path("rosbag2"), "*.mcap"))
            await SampleFile.AssertSoundAsync(await File.ReadAllBytesAsync(path), path);
    }

    [Theory, MemberData(nameof(Layouts))]
    public async Task What_the_writer_makes_is_sound_without_a_warning(string layout)
    {
        var report = await McapDoctor.ExamineAsync(new MemoryByteSource(SampleFile.Write(Options(layout))));
        Assert.Empty(report.Findings);
        Assert.Equal(40u, report.MessageCount);
    }

    [Theory, MemberData(nameof(Layouts))]
    public async Task Any_single_bit_that_flips_is_found(string layout)
    {
        var file = SampleFile.Write(Options(layout), messages: 6);
        for (var i = 0; i < file.Length * 8; i++)
        {
            file[i / 8] ^= (byte)(1 << (i % 8));
            var report = await McapDoctor.ExamineAsync(new MemoryByteSource(file), chunkBytesMax: 1 << 24);
            Assert.False(report.IsSound, $"bit {i % 8} of byte {i / 8}");
            file[i / 8] ^= (byte)(1 << (i % 8));
        }
    }

    [Fact]
    public async Task A_finding_names_offset_record_expected_and_actual()
    {
        var file = SampleFile.Write(new() { Compression = McapCompression.None, DataSectionCrc = false });
        var payload = file.AsSpan().IndexOf("string text"u8);
        file[payload] ^= 1;
        var report = await McapDoctor.ExamineAsync(new MemoryByteSource(file));
        var finding = report.Findings[0];
        Assert.Equal(FindingSeverity.Error, finding.Severity);
        Assert.Matches("^error: offset [0-9]+: Chunk uncompressed_crc: expected [0-9a-f]{8}, found records with CRC-32 [0-9a-f]{8}$", finding.ToString());
    }

    [Fact]
    public async Task Descending_log_times_are_an_error_only_when_asked_for()
    {
        var file = SampleFile.Write(new(), jitter: 50);
        Assert.True((await McapDoctor.ExamineAsync(new MemoryByteSource(file))).IsSound);
        Assert.False((await McapDoctor.ExamineAsync(new MemoryByteSource(file), strictMessageOrder: true)).IsSound);
    }

    internal static McapWriterOptions Options(string layout) => layout switch
    {
        "chunks" => new() { ChunkBytes = 500, Compression = McapCompression.None },
        "zstd" => new() { ChunkBytes = 500, Compression = McapCompression.Zstd },
        "lz4" => new() { ChunkBytes = 500, Compression = McapCompression.Lz4 },
        "no chunks" => new() { Chunked = false },
        _ => new() { ChunkBytes = 500, Compression = McapCompression.None, Summary = SummaryOptions.None },
    };
}
