using System.Runtime.InteropServices;
using EdgeCloud.Contracts;
using EdgeCloud.Export.Media;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Tables;

/// <summary>
/// The files beside a table of images or point clouds, one for each message: <c>camera.image/_files/1700000000000000000.png</c>, named after
/// the log time; a second one of the same time has <c>-1</c> added. Tables in partitions have theirs below it:
/// <c>camera.image/_files/robot=amr-01/date=2026-03-01/...</c>. Readers of datasets pass over folders that begin with an underscore. What has
/// no place in the wanted format is written as it was recorded.
/// </summary>
internal sealed class RowFiles
{
    private readonly Table _table;
    private readonly ImageFiles _images;
    private readonly CloudFiles _clouds;
    private readonly ColumnBatch _row;
    private readonly ImageFields? _imageFields;
    private readonly CloudFields? _cloudFields;
    private readonly int _data;
    private ulong? _lastTime;
    private int _sameTime;

    private RowFiles(ExportSettings settings, Table table)
    {
        (_table, _images, _clouds) = (table, settings.Images, settings.PointClouds);
        var schema = table.First.Schema!;
        var plan = ColumnPlan.Create(schema.Name, schema.Encoding, schema.Data, table.First.Encoding);
        _row = plan.CreateBatch();
        _imageFields = ImageFields.Of(plan.Columns);
        _cloudFields = CloudFields.Of(plan.Columns);
        _data = plan.Columns.ToList().FindIndex(c => c.Name == "data" && c.Type.IsBytes);
    }

    /// <summary>The files of a table; null when it has none.</summary>
    public static RowFiles? Of(ExportSettings settings, Table table) => table.Columns.NamesFile ? new RowFiles(settings, table) : null;

    /// <summary>The name of a message's file, asked for in the order of the rows; null when it has none.</summary>
    public string? NameOf(in MessageHeader header, ReadOnlySpan<byte> data)
    {
        _sameTime = header.LogTime == _lastTime ? _sameTime + 1 : 0;
        _lastTime = header.LogTime;
        if (!Decode(data))
            return null;
        var partition = _table.Partition.Length == 0 ? "" : $"{_table.Partition}/";
        var suffix = _sameTime == 0 ? "" : $"-{_sameTime}";
        return $"{_table.Name}/_files/{partition}{header.LogTime}{suffix}.{Extension()}";
    }

    /// <summary>Writes the files of all messages.</summary>
    public async Task WriteAsync(PartWork work, CancellationToken cancellation)
    {
        (_lastTime, _sameTime) = (null, 0);
        var reader = _table.Messages.Read();
        var encoder = new MediaEncoder();
        while (reader.Take(MessageHeader.Size) is { Length: > 0 } head)
        {
            var header = MemoryMarshal.Read<MessageHeader>(head.Span);
            // Files of messages in the margin around an aligned part are its neighbour's.
            if (NameOf(header, reader.Take(header.Length).Span) is not { } name || !work.Feed.IsOwn(header.LogTime))
                continue;
            await using var file = await work.Files.CreateAsync(name, ContentType(name), _table.Name, cancellation).ConfigureAwait(false);
            await file.WriteAsync(Encode(encoder), cancellation).ConfigureAwait(false);
            (file.Rows, file.FirstNs, file.LastNs) = (1, (long)header.LogTime, (long)header.LogTime);
            await file.CompleteAsync(cancellation).ConfigureAwait(false);
        }
    }

    private bool Decode(ReadOnlySpan<byte> data)
    {
        _row.Clear();
        try
        {
            _row.Append(data);
            return _data >= 0 && !_row.Columns[_data].IsMissing(0);
        }
        catch (CdrException)
        {
            return false; // its row in the table says so
        }
    }

    private ReadOnlySpan<byte> Data => ((NumberColumn)((ListColumn)_row.Columns[_data]).Items).Bytes;

    private string Extension()
    {
        if (_table.Columns.Kind == RowFileKind.CompressedImage)
            return Data.StartsWith((ReadOnlySpan<byte>)[0xFF, 0xD8]) ? "jpg" : Data.StartsWith((ReadOnlySpan<byte>)[0x89, 0x50, 0x4E, 0x47]) ? "png" : "bin";
        if (_table.Columns.Kind == RowFileKind.Cloud)
            return _cloudFields?.Read(_row.Columns, 0) is null ? "bin" : _clouds == CloudFiles.Ply ? "ply" : "pcd";
        return _imageFields?.Read(_row.Columns, 0) is not { } image ? "bin"
            : _images == ImageFiles.Png && MediaEncoder.CanBePng(image.Format) ? "png"
            : _images == ImageFiles.Jpeg && MediaEncoder.CanBeJpeg(image.Format) ? "jpg"
            : "raw";
    }

    private ReadOnlyMemory<byte> Encode(MediaEncoder encoder) => Extension() switch
    {
        "png" when _imageFields is not null => encoder.Png(_row.Columns, _imageFields),
        "jpg" when _imageFields is not null => encoder.Jpeg(_row.Columns, _imageFields),
        "raw" => encoder.Raw(_row.Columns, _imageFields!),
        "pcd" => encoder.Pcd(_row.Columns, _cloudFields!),
        "ply" => encoder.Ply(_row.Columns, _cloudFields!),
        _ => encoder.Bytes(Data),
    };

    private static string ContentType(string name) => Path.GetExtension(name) switch
    {
        ".png" => "image/png",
        ".jpg" => "image/jpeg",
        _ => "application/octet-stream",
    };
}
