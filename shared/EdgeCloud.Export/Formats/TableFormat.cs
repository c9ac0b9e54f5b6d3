using EdgeCloud.Export.Reading;
using EdgeCloud.Export.Tables;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Formats;

/// <summary>
/// A format with one table for each topic. Messages come in order of time with the topics mixed; they wait, as they are, in scratch
/// space until their table's turn comes. So one file is open at a time, and memory does not grow with the number of topics.
/// </summary>
internal abstract class TableFormat : ExportFormat
{
    /// <summary>Whether robots and days have files of their own.</summary>
    protected virtual bool IsPartitioned => false;

    /// <summary>Whether images and point clouds have a place in the tables.</summary>
    protected virtual bool InlinesFiles => true;

    /// <summary>Writes one table.</summary>
    /// <param name="work">The part.</param>
    /// <param name="output">What the table is called.</param>
    /// <param name="rows">Its rows; one at least.</param>
    /// <param name="scratch">For what the format must keep.</param>
    /// <param name="cancellation">Stops it.</param>
    protected abstract Task WriteTableAsync(PartWork work, TableOutput output, TableRows rows, Scratch scratch, CancellationToken cancellation);

    /// <summary>What the manifest says about a table's columns.</summary>
    protected virtual IReadOnlyList<ExportedColumn> Describe(IReadOnlyList<ColumnInfo> columns) =>
        [.. columns.Select(c => new ExportedColumn(c.Name, c.Type.ToString(), c.Unit))];

    public sealed override async Task WriteAsync(PartWork work, CancellationToken cancellation)
    {
        using var scratch = new Scratch(work.ScratchFolder);
        var alignment = work.Plan.Settings.Alignment;
        var partitioning = alignment is not null ? Partitioning.Session : IsPartitioned ? Partitioning.RobotAndDate : Partitioning.None;
        var session = alignment is not null ? SessionColumns.None
            : IsPartitioned ? SessionColumns.Session
            : work.Plan.Sessions.Count > 1 ? SessionColumns.RobotAndSession : SessionColumns.None;
        var tables = new TableSet(work, scratch, partitioning, session, InlinesFiles);
        while (await work.MoveNextAsync(cancellation).ConfigureAwait(false))
        {
            tables.Add(work.Feed.Channel, work.Feed.Message);
            if (work.Feed.IsInside)
                work.Feed.Channel.Note(work.Feed.Message.LogTime);
        }
        // What reading took is garbage, and what writing takes is not to come on top of it.
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
        if (alignment is not null)
            await WriteAlignedAsync(work, tables, scratch, cancellation).ConfigureAwait(false);
        else
            await WriteTablesAsync(work, tables, scratch, cancellation).ConfigureAwait(false);
        AddTopics(work, tables);
        work.Report();
    }

    private async Task WriteTablesAsync(PartWork work, TableSet tables, Scratch scratch, CancellationToken cancellation)
    {
        foreach (var table in tables.InOrder)
        {
            cancellation.ThrowIfCancellationRequested();
            var files = RowFiles.Of(work.Plan.Settings, table);
            var rows = new MessageRows(table, work.Feed.Channels.All, files, isLast: files is null);
            await WriteTableAsync(work, new TableOutput(table.Name, table.Partition, table.First), rows, scratch, cancellation).ConfigureAwait(false);
            if (files is not null)
                await files.WriteAsync(work, cancellation).ConfigureAwait(false);
            work.Report();
        }
    }

    private async Task WriteAlignedAsync(PartWork work, TableSet tables, Scratch scratch, CancellationToken cancellation)
    {
        foreach (var session in work.Part.Sessions)
        {
            foreach (var channel in await work.Feed.FindAbsentAsync(session, cancellation).ConfigureAwait(false))
                tables.Add(channel);
            var own = tables.InOrder.Where(t => t.First.Session.Id == session.Id).ToList();
            if (AlignedRows.Of(work, session, own) is not { } rows)
                continue;
            var name = work.Plan.Sessions.Count == 1 ? "aligned" : $"aligned.{session.Robot}.{session.Id.ToString("N")[^12..]}";
            var output = IsPartitioned
                ? new TableOutput("aligned", TableSet.Hive(session.Robot, rows.FirstTick), null) { FileStem = $"part-{session.Id.ToString("N")[^12..]}" }
                : new TableOutput(name, "", null);
            await WriteTableAsync(work, output, rows, scratch, cancellation).ConfigureAwait(false);
            work.Add(new ExportedTable(output.Table, Describe(rows.Columns)));
            foreach (var table in own)
            {
                if (RowFiles.Of(work.Plan.Settings, table) is { } files)
                    await files.WriteAsync(work, cancellation).ConfigureAwait(false);
            }
            work.Report();
        }
    }

    private void AddTopics(PartWork work, TableSet tables)
    {
        var byName = tables.InOrder.GroupBy(t => t.Name).ToDictionary(g => g.Key, g => g.First());
        foreach (var channel in work.Feed.Channels.All)
        {
            if (channel.Count == 0)
                continue;
            var table = byName[tables.NameOf(channel)];
            work.Add(PartWork.TopicOf(channel) with
            {
                Table = table.Name,
                Columns = work.Plan.Settings.Alignment is null ? Describe(table.Columns.Columns) : [],
            });
        }
        foreach (var table in tables.InOrder.Where(t => t.Undecoded.Error.Length > 0 && t.First.Count > 0))
        {
            work.Add(PartWork.TopicOf(table.First) with
            {
                Messages = 0,
                Repeats = 0,
                Undecoded = table.Undecoded.Count,
                Error = table.Undecoded.Error,
            });
        }
    }
}

/// <summary>What a table's file is called.</summary>
/// <param name="Table">Name of the table.</param>
/// <param name="Partition">Folders of its partition; may be empty.</param>
/// <param name="Channel">A channel of its topic; null for a table of several topics.</param>
internal sealed record TableOutput(string Table, string Partition, FeedChannel? Channel)
{
    /// <summary>File name without extension, in a partition.</summary>
    public string FileStem { get; init; } = "part";

    /// <summary>Path without part number and extension.</summary>
    public string Stem => Partition.Length == 0 ? Table : $"{Table}/{Partition}/{FileStem}";
}
