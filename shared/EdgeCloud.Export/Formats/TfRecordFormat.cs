using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeCloud.Export.Tables;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Formats;

/// <summary>
/// TFRecord files of <c>tf.train.Example</c>, one record for each row. Integers, truth values and times (ns) are <c>int64_list</c>,
/// floating-point numbers <c>float_list</c>, texts and runs of bytes <c>bytes_list</c>. What is missing has no feature. <c>TABLE.features.json</c>
/// describes the features.
/// </summary>
internal sealed class TfRecordFormat : TableFormat
{
    private const int FlushBytes = 1 << 20;
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    protected override async Task WriteTableAsync(
        PartWork work, TableOutput output, TableRows rows, Scratch scratch, CancellationToken cancellation)
    {
        await using var file = await work.Files.CreateAsync(
            work.Files.NameOf(output.Stem, "tfrecord"), "application/octet-stream", output.Table, cancellation).ConfigureAwait(false);
        var example = new ExampleWriter(rows.Columns);
        var records = new TextBuffer();
        while (rows.MoveNext())
        {
            for (var row = 0; row < rows.Rows; row++)
            {
                Frame(records, example, example.Encode(rows.Batch, row));
                if (records.Length < FlushBytes)
                    continue;
                await file.WriteAsync(records.Written, cancellation).ConfigureAwait(false);
                records.Clear();
            }
        }
        await file.WriteAsync(records.Written, cancellation).ConfigureAwait(false);
        (file.Rows, file.FirstNs, file.LastNs) = (rows.RowsRead, (long)rows.FirstNs, (long)rows.LastNs);
        await file.CompleteAsync(cancellation).ConfigureAwait(false);
    }

    protected override IReadOnlyList<ExportedColumn> Describe(IReadOnlyList<ColumnInfo> columns) => [.. TfFeatures.Of(columns)];

    public override async Task FinishAsync(ExportAssembly assembly, CancellationToken cancellation)
    {
        foreach (var table in assembly.Topics.Where(t => t.Columns.Count > 0).GroupBy(t => t.Table))
            await DescribeAsync(assembly, table.Key, table.First(), table.First().Columns, cancellation).ConfigureAwait(false);
        foreach (var table in assembly.Tables)
            await DescribeAsync(assembly, table.Name, null, table.Columns, cancellation).ConfigureAwait(false);
    }

    private static Task DescribeAsync(
        ExportAssembly assembly, string table, ExportedTopic? topic, IReadOnlyList<ExportedColumn> columns, CancellationToken cancellation)
    {
        var description = new JsonObject();
        if (topic is not null)
            (description["topic"], description["type"]) = (topic.Topic, topic.Type);
        description["features"] = new JsonArray([.. columns.Select(TfFeatures.Json)]);
        description["shards"] = new JsonArray([.. assembly.PartFiles.Where(f => f.Table == table && f.Name.Contains(".tfrecord", StringComparison.Ordinal))
            .Select(f => (JsonNode)new JsonObject { ["file"] = f.Name, ["examples"] = f.Rows })]);
        return assembly.WriteAsync($"{table}.features.json", "application/json", Encoding.UTF8.GetBytes(description.ToJsonString(Indented)), cancellation);
    }

    public override string Loading(ExportManifest manifest) =>
        """
        One `.tfrecord` for each topic and part, one `tf.train.Example` for each message, described by `TOPIC.features.json`.

        ```python
        import json, numpy as np, tensorflow as tf
        described = json.load(open("TOPIC.features.json"))
        kinds = {"int64": (tf.int64, 0), "float": (tf.float32, np.nan), "bytes": (tf.string, b"")}  # and what stands for a missing value

        def parsed(shape, kind):
            dtype, missing = kinds[kind]
            return tf.io.VarLenFeature(dtype) if shape is None else tf.io.FixedLenFeature(shape, dtype, np.full(shape, missing).tolist())

        spec = {f["name"]: parsed(f["shape"], f["kind"]) for f in described["features"]}
        files = [s["file"] for s in described["shards"]]
        dataset = tf.data.TFRecordDataset(files).map(lambda record: tf.io.parse_single_example(record, spec))
        ```

        `tf.train.Example` has no 64-bit floating-point numbers: such fields are rounded to 32 bits (`"dtype": "float64"` says which).
        """;

    /// <summary>Length, its masked CRC, data, its masked CRC (tensorflow/core/lib/io/record_writer.h).</summary>
    private static void Frame(TextBuffer records, ExampleWriter example, int length)
    {
        var frame = records.Reserve(length + 16)[..(length + 16)];
        var data = frame.Slice(12, length);
        BinaryPrimitives.WriteInt64LittleEndian(frame, length);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[8..], MaskedCrc(frame[..8]));
        example.CopyTo(data);
        BinaryPrimitives.WriteUInt32LittleEndian(frame[(12 + length)..], MaskedCrc(data));
        records.Advance(length + 16);
    }

    private static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        var crc = uint.MaxValue;
        var words = MemoryMarshal.Cast<byte, ulong>(data);
        foreach (var word in words)
            crc = BitOperations.Crc32C(crc, word);
        foreach (var one in data[(words.Length * 8)..])
            crc = BitOperations.Crc32C(crc, one);
        crc = ~crc;
        return BitOperations.RotateRight(crc, 15) + 0xA282EAD8;
    }
}
