using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using EdgeCloud.Export.DuckDb;
using EdgeCloud.Export.Tables;

namespace EdgeCloud.Export.Formats;

/// <summary>
/// Apache Parquet: a dataset for each topic, in folders <c>robot=.../date=.../</c> (day of the log time, UTC), zstd, row groups of a size for
/// range reads. Times are timestamps of nanoseconds, runs of bytes BLOBs, lists LIST. Type, units and the schema's hash are in the
/// key-value metadata. DuckDB writes it, pulling decoded columns.
/// </summary>
internal sealed class ParquetFormat : TableFormat
{
    private const long MemoryBytes = 192L << 20;
    private const int RowGroupRows = 122_880; // DuckDB's own
    private const long RowGroupBytes = 16L << 20;
    private const int Threads = 1; // rows come in order from one thread; a second one would only wait for them, busily

    // One at a time in a process: each takes some 60 MB for its row group and for what compresses it, and a processor core.
    private static readonly SemaphoreSlim Copies = new(1);

    protected override bool IsPartitioned => true;

    protected override async Task WriteTableAsync(
        PartWork work, TableOutput output, TableRows rows, Scratch scratch, CancellationToken cancellation)
    {
        Directory.CreateDirectory(work.ScratchFolder);
        var path = Path.Combine(work.ScratchFolder, $"edgecloud-{Guid.NewGuid():N}.parquet");
        try
        {
            await Copies.WaitAsync(cancellation).ConfigureAwait(false);
            try
            {
                Copy(work, output, rows, path, cancellation);
            }
            finally
            {
                Copies.Release();
            }
            await using var written = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, bufferSize: 0);
            await using var file = await work.Files.CreateAsync(
                work.Files.NameOf(output.Stem, "parquet"), "application/vnd.apache.parquet", output.Table, cancellation).ConfigureAwait(false);
            await written.CopyToAsync(file, 1 << 20, cancellation).ConfigureAwait(false);
            (file.Rows, file.FirstNs, file.LastNs) = (rows.RowsRead, (long)rows.FirstNs, (long)rows.LastNs);
            await file.CompleteAsync(cancellation).ConfigureAwait(false);
        }
        finally
        {
            File.Delete(path);
        }
    }

    /// <summary>Copies rows to a file.</summary>
    internal static void Copy(PartWork work, TableOutput output, TableRows rows, string path, CancellationToken cancellation)
    {
        using var session = new DuckDbSession(MemoryBytes, Threads, work.ScratchFolder);
        using var table = DuckDbTable.Register(session, rows);
        var options = string.Create(CultureInfo.InvariantCulture, $"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {RowGroupRows}, ROW_GROUP_SIZE_BYTES {RowGroupBytes}, KV_METADATA {Metadata(output, rows)}");
        try
        {
            // The size of row groups in bytes is only kept where the order of rows need not be; rows come from one thread in their order.
            session.Run("SET preserve_insertion_order = false", cancellation);
            session.Run($"COPY (SELECT * FROM {DuckDbTable.Function}()) TO {DuckDbSession.Literal(path)} ({options})", cancellation);
        }
        catch (ExportException e)
        {
            throw table.Failure is { } failure
                ? new ExportException($"Table {output.Table}: {failure.Message}", failure)
                : new ExportException($"Table {output.Table} cannot be written as Parquet: {e.Message}", e);
        }
    }

    public override string Loading(ExportManifest manifest) =>
        """
        A dataset for each topic, in folders by robot and day.

        ```python
        import pandas as pd
        table = pd.read_parquet("TOPIC")  # the folder; robot and date become columns
        ```

        ```sql
        SELECT robot, count(*) FROM read_parquet('TOPIC/**/*.parquet', hive_partitioning = true) GROUP BY robot; -- DuckDB
        ```

        Spark: `spark.read.parquet("TOPIC")`. Units and types are in the files' key-value metadata (`SELECT * FROM parquet_kv_metadata('FILE')`).
        """;

    private static string Metadata(TableOutput output, TableRows rows)
    {
        var columns = new JsonObject();
        foreach (var column in rows.Columns)
        {
            var about = new JsonObject { ["type"] = column.Type.ToString() };
            if (column.Unit is { } unit)
                about["unit"] = unit;
            if (column.Comment is { } comment)
                about["comment"] = comment;
            columns[column.Name] = about;
        }
        var pairs = new StringBuilder("{");
        Add("edgecloud.tool", ExportAssembly.Tool);
        Add("edgecloud.topic", output.Channel?.Topic ?? "");
        Add("edgecloud.type", output.Channel?.Schema?.Name ?? "");
        Add("edgecloud.schema_sha256", output.Channel?.Schema?.Hash ?? "");
        Add("edgecloud.columns", columns.ToJsonString());
        return pairs.Append('}').ToString();

        void Add(string key, string value) =>
            pairs.Append(pairs.Length > 1 ? ", " : "").Append(DuckDbSession.Name(key)).Append(": ").Append(DuckDbSession.Literal(value));
    }
}
