using EdgeCloud.Contracts;

namespace EdgeCloud.Export.Formats;

/// <summary>How messages become files of one format. Stateless; each part and the assembly are calls of their own.</summary>
internal abstract class ExportFormat
{
    /// <summary>The format of a name.</summary>
    /// <exception cref="ExportException">There is none of that name.</exception>
    public static ExportFormat Of(string name) => name switch
    {
        ExportFormats.Mcap => new McapFormat(),
        ExportFormats.Rosbag2 => new Rosbag2Format(),
        ExportFormats.Parquet => new ParquetFormat(),
        ExportFormats.Csv => new CsvFormat(),
        ExportFormats.JsonLines => new JsonLinesFormat(),
        ExportFormats.Numpy => new NumpyFormat(),
        ExportFormats.TfRecord => new TfRecordFormat(),
        _ => throw new ExportException($"'{name}' is no export format; use one of {string.Join(", ", ExportFormats.All)}."),
    };

    /// <summary>Writes the files of a part.</summary>
    public abstract Task WriteAsync(PartWork work, CancellationToken cancellation);

    /// <summary>Writes the format's files about the export as a whole.</summary>
    public virtual Task FinishAsync(ExportAssembly assembly, CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>For the README: how to load the files, with a snippet that works when it is pasted.</summary>
    public abstract string Loading(ExportManifest manifest);
}
