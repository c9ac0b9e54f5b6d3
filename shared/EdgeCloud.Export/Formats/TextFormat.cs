using EdgeCloud.Export.Tables;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Formats;

/// <summary>A format that writes rows as lines of text.</summary>
internal abstract class TextFormat : TableFormat
{
    private const int FlushBytes = 1 << 20;

    protected abstract string Extension { get; }

    protected abstract string ContentType { get; }

    /// <summary>Makes a writer of lines for a table.</summary>
    protected abstract LineWriter CreateLines(IReadOnlyList<ColumnInfo> columns);

    protected sealed override async Task WriteTableAsync(
        PartWork work, TableOutput output, TableRows rows, Scratch scratch, CancellationToken cancellation)
    {
        await using var file = await work.Files.CreateAsync(
            work.Files.NameOf(output.Stem, Extension), ContentType, output.Table, cancellation).ConfigureAwait(false);
        var lines = CreateLines(rows.Columns);
        while (rows.MoveNext())
        {
            lines.Begin(rows.Batch);
            for (var row = 0; row < rows.Rows; row++)
            {
                lines.Write(row);
                if (lines.Text.Length >= FlushBytes)
                    await FlushAsync().ConfigureAwait(false);
            }
        }
        await FlushAsync().ConfigureAwait(false);
        (file.Rows, file.FirstNs, file.LastNs) = (rows.RowsRead, (long)rows.FirstNs, (long)rows.LastNs);
        await file.CompleteAsync(cancellation).ConfigureAwait(false);

        async ValueTask FlushAsync()
        {
            await file.WriteAsync(lines.Text.Written, cancellation).ConfigureAwait(false);
            lines.Text.Clear();
        }
    }

    /// <summary>Writes the rows of a batch as lines.</summary>
    internal abstract class LineWriter
    {
        protected IReadOnlyList<Column> Columns { get; private set; } = [];

        /// <summary>The lines.</summary>
        public TextBuffer Text { get; } = new();

        /// <summary>Goes on to another batch.</summary>
        public void Begin(IReadOnlyList<Column> columns) => Columns = columns;

        /// <summary>Writes a row.</summary>
        public abstract void Write(int row);
    }
}
