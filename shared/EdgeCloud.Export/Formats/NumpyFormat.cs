using EdgeCloud.Export.Media;
using EdgeCloud.Export.Tables;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Formats;

/// <summary>
/// NumPy <c>.npz</c>, one for each topic: see <see cref="NumpyArrays"/>. Images of one size are one array (messages, height, width,
/// channels) of the samples' type, point clouds one array of structured points with offsets.
/// </summary>
internal sealed class NumpyFormat : TableFormat
{
    protected override async Task WriteTableAsync(
        PartWork work, TableOutput output, TableRows rows, Scratch scratch, CancellationToken cancellation)
    {
        var arrays = new NumpyArrays(scratch);
        var images = ImageFields.Of(rows.Columns) is { } image ? new NumpyImages(arrays, image) : null;
        var clouds = CloudFields.Of(rows.Columns) is { } cloud ? new NumpyClouds(arrays, cloud) : null;
        while (rows.MoveNext())
        {
            cancellation.ThrowIfCancellationRequested();
            for (var i = 0; i < rows.Columns.Count; i++)
            {
                if (images is null && clouds is null || rows.Columns[i].Name != "data")
                {
                    arrays.Append(rows.Columns[i].Name, rows.Batch[i], 0, rows.Rows, []);
                    continue;
                }
                arrays.AppendValidity("data", rows.Batch[i], 0, rows.Rows, []);
                images?.Append(rows.Batch, i, rows.Rows);
                clouds?.Append(rows.Batch, i, rows.Rows);
            }
        }
        images?.Finish();
        clouds?.Finish();
        await using var file = await work.Files.CreateAsync(
            work.Files.NameOf(output.Stem, "npz"), "application/zip", output.Table, cancellation).ConfigureAwait(false);
        var zip = new StoredZip(file);
        foreach (var array in arrays.Finish())
            await array.WriteToAsync(zip, cancellation).ConfigureAwait(false);
        await zip.FinishAsync(cancellation).ConfigureAwait(false);
        (file.Rows, file.FirstNs, file.LastNs) = (rows.RowsRead, (long)rows.FirstNs, (long)rows.LastNs);
        await file.CompleteAsync(cancellation).ConfigureAwait(false);
    }

    public override string Loading(ExportManifest manifest) =>
        """
        One `.npz` for each topic (several where the export has several parts), one array for each field.

        ```python
        import numpy as np
        table = np.load("TOPIC.npz")
        print({name: (table[name].dtype, table[name].shape) for name in table.files})

        def item(name, row):  # a list of any length: ranges of a scan, points of a cloud
            offsets = table[name + "__offsets"]
            return table[name][offsets[row]:offsets[row + 1]]
        ```

        Times are `datetime64[ns]`. `NAME__valid` tells where values are missing; long texts are the bytes `NAME__utf8` with offsets. Images
        of one size are `data` with (messages, height, width, channels), points are structured: `item("data", 0)["x"]`.
        """;

    /// <summary>The pixels of a table's images, without what pads their lines.</summary>
    private sealed class NumpyImages(NumpyArrays arrays, ImageFields fields)
    {
        private readonly NumpyArray _data = arrays.Of("data", "'|u1'", [], 1);
        private (int Height, int Width, PixelFormat Format, bool IsBigEndian)? _first;
        private bool _isUniform = true;

        public void Append(IReadOnlyList<Column> columns, int data, int rows)
        {
            Span<int> ends = stackalloc int[2];
            for (var row = 0; row < rows; row++)
            {
                var before = _data.Bytes;
                if (fields.Read(columns, row) is { } image)
                {
                    var shape = (image.Height, image.Width, image.Format, image.IsBigEndian && image.Format.SampleBytes > 1);
                    _first ??= shape;
                    _isUniform &= _first == shape;
                    var pixels = image.Joined;
                    for (var line = 0; line < pixels.Height; line++)
                        _data.Write(fields.Line(columns, pixels, line));
                }
                else
                {
                    _isUniform = false;
                    var list = (ListColumn)columns[data];
                    _data.Write(((NumberColumn)list.Items).Bytes[list.Offsets[row]..list.Offsets[row + 1]]);
                }
                ends[1] = (int)(_data.Bytes - before);
                arrays.AppendOffsets("data", ends);
            }
        }

        public void Finish()
        {
            if (!_isUniform || _first is not { } shape)
                return;
            arrays.Remove("data__offsets");
            _data.Descr = shape.Format.Descr(shape.IsBigEndian);
            _data.ItemBytes = shape.Format.SampleBytes;
            _data.Dimensions = shape.Format.Channels == 1 ? [shape.Height, shape.Width] : [shape.Height, shape.Width, shape.Format.Channels];
        }
    }

    /// <summary>The points of a table's clouds, without what pads their lines.</summary>
    private sealed class NumpyClouds(NumpyArrays arrays, CloudFields fields)
    {
        private readonly NumpyArray _data = arrays.Of("data", "'|u1'", [], 1);
        private CloudLayout? _layout;
        private bool _isUniform = true;

        public void Append(IReadOnlyList<Column> columns, int data, int rows)
        {
            Span<int> ends = stackalloc int[2];
            for (var row = 0; row < rows; row++)
            {
                var before = _data.Bytes;
                if (fields.Read(columns, row) is { } cloud)
                {
                    _layout ??= cloud.Layout;
                    _isUniform &= _layout.Equals(cloud.Layout);
                    for (var line = 0; line < cloud.Height; line++)
                        _data.Write(fields.Line(columns, cloud, line));
                }
                else
                {
                    _isUniform = false;
                    var list = (ListColumn)columns[data];
                    _data.Write(((NumberColumn)list.Items).Bytes[list.Offsets[row]..list.Offsets[row + 1]]);
                }
                ends[1] = (int)(_data.Bytes - before);
                arrays.AppendOffsets("data", ends);
            }
        }

        public void Finish()
        {
            if (!_isUniform || _layout is null)
                return;
            _data.Descr = _layout.Descr();
            _data.ItemBytes = _layout.PointStep;
            arrays.DivideOffsets("data", _layout.PointStep);
        }
    }
}
