using System.Buffers.Binary;
using System.Globalization;
using System.IO.Compression;
using System.Text;
using EdgeCloud.Mcap;
using EdgeCloud.Ros2.Columns;

namespace EdgeCloud.Export.Media;

/// <summary>Images and point clouds as files. Keeps its buffers; what it returns is valid until the next call. Not thread-safe.</summary>
internal sealed class MediaEncoder
{
    private readonly MemoryStream _file = new();
    private byte[] _line = [];
    private byte[] _previous = [];

    /// <summary>Whether PNG has a place for such pixels: 8 or 16 bits of grey or colour.</summary>
    public static bool CanBePng(PixelFormat format) => format is { Kind: 'u', SampleBytes: <= 2, Order: not PixelOrder.Other };

    /// <summary>Whether JPEG has a place for such pixels: 8 bits of grey or colour.</summary>
    public static bool CanBeJpeg(PixelFormat format) => format is { Kind: 'u', SampleBytes: 1, Order: not PixelOrder.Other };

    /// <summary>Bytes as they are.</summary>
    public ReadOnlyMemory<byte> Bytes(ReadOnlySpan<byte> bytes)
    {
        _file.SetLength(0);
        _file.Write(bytes);
        return Written();
    }

    /// <summary>Pixels as they are, without what pads the lines.</summary>
    public ReadOnlyMemory<byte> Raw(IReadOnlyList<Column> columns, ImageFields fields)
    {
        var image = fields.Read(columns, 0)!.Value;
        _file.SetLength(0);
        for (var line = 0; line < image.Height; line++)
            _file.Write(fields.Line(columns, image, line));
        return Written();
    }

    /// <summary>PNG (ISO/IEC 15948), every line filtered by the one above.</summary>
    public ReadOnlyMemory<byte> Png(IReadOnlyList<Column> columns, ImageFields fields)
    {
        var image = fields.Read(columns, 0)!.Value;
        var channels = PixelLines.Channels(image.Format);
        _file.SetLength(0);
        _file.Write([0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]);
        Span<byte> header = stackalloc byte[13];
        BinaryPrimitives.WriteInt32BigEndian(header, image.Width);
        BinaryPrimitives.WriteInt32BigEndian(header[4..], image.Height);
        header[8] = (byte)(8 * image.Format.SampleBytes);
        header[9] = channels switch { 1 => 0, 3 => 2, _ => 6 };
        header[10..].Clear();
        var start = BeginChunk("IHDR"u8);
        _file.Write(header);
        EndChunk(start);
        start = BeginChunk("IDAT"u8);
        using (var zlib = new ZLibStream(_file, CompressionLevel.Fastest, leaveOpen: true))
            WriteLines(zlib, columns, fields, image, image.Width * channels * image.Format.SampleBytes);
        EndChunk(start);
        EndChunk(BeginChunk("IEND"u8));
        return Written();
    }

    /// <summary>Baseline JPEG.</summary>
    public ReadOnlyMemory<byte> Jpeg(IReadOnlyList<Column> columns, ImageFields fields)
    {
        var image = fields.Read(columns, 0)!.Value;
        var channels = PixelLines.Channels(image.Format);
        var pixels = new byte[image.Height * image.Width * channels];
        for (var line = 0; line < image.Height; line++)
            PixelLines.Convert(fields.Line(columns, image, line), image, pixels.AsSpan(line * image.Width * channels, image.Width * channels));
        _file.SetLength(0);
        JpegEncoder.Write(_file, pixels, image.Width, image.Height, channels);
        return Written();
    }

    /// <summary>PCD 0.7, binary, little-endian; bytes between the fields are fields named <c>_</c>, as PCL writes them.</summary>
    public ReadOnlyMemory<byte> Pcd(IReadOnlyList<Column> columns, CloudFields fields)
    {
        var cloud = fields.Read(columns, 0)!.Value;
        var (names, sizes, types, counts, at) = (new StringBuilder("FIELDS"), new StringBuilder("SIZE"), new StringBuilder("TYPE"), new StringBuilder("COUNT"), 0);
        foreach (var field in cloud.Layout.Fields)
        {
            if (field.Offset > at)
                Add("_", 1, 'U', field.Offset - at);
            Add(field.Name, field.Size, char.ToUpperInvariant(field.Kind), field.Count);
            at = field.Offset + field.Size * field.Count;
        }
        if (cloud.Layout.PointStep > at)
            Add("_", 1, 'U', cloud.Layout.PointStep - at);
        _file.SetLength(0);
        _file.Write(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture,
            $"# .PCD v0.7 - Point Cloud Data file format\nVERSION 0.7\n{names}\n{sizes}\n{types}\n{counts}\nWIDTH {cloud.Width}\nHEIGHT {cloud.Height}\nVIEWPOINT 0 0 0 1 0 0 0\nPOINTS {(long)cloud.Width * cloud.Height}\nDATA binary\n")));
        WritePoints(columns, fields, cloud, packed: false);
        return Written();

        void Add(string name, int size, char type, int count)
        {
            names.Append(' ').Append(name);
            sizes.Append(' ').Append(size);
            types.Append(' ').Append(type);
            counts.Append(' ').Append(count);
        }
    }

    /// <summary>PLY, binary, little-endian; a field of several numbers is several properties.</summary>
    public ReadOnlyMemory<byte> Ply(IReadOnlyList<Column> columns, CloudFields fields)
    {
        var cloud = fields.Read(columns, 0)!.Value;
        var header = new StringBuilder("ply\nformat binary_little_endian 1.0\n");
        header.Append(CultureInfo.InvariantCulture, $"element vertex {(long)cloud.Width * cloud.Height}\n");
        string[] types = ["", "char", "uchar", "short", "ushort", "int", "uint", "float", "double"];
        foreach (var field in cloud.Layout.Fields)
        {
            for (var i = 0; i < field.Count; i++)
                header.Append(CultureInfo.InvariantCulture, $"property {types[field.Type]} {field.Name}{(field.Count > 1 ? $"_{i}" : "")}\n");
        }
        _file.SetLength(0);
        _file.Write(Encoding.ASCII.GetBytes(header.Append("end_header\n").ToString()));
        WritePoints(columns, fields, cloud, packed: true);
        return Written();
    }

    private void WritePoints(IReadOnlyList<Column> columns, CloudFields fields, CloudMessage cloud, bool packed)
    {
        var step = cloud.Layout.PointStep;
        for (var line = 0; line < cloud.Height; line++)
        {
            var points = fields.Line(columns, cloud, line);
            if (cloud.Layout.IsBigEndian)
            {
                Resize(ref _line, points.Length);
                points.CopyTo(_line);
                Swap(_line.AsSpan(0, points.Length), cloud.Layout);
                points = _line.AsSpan(0, points.Length);
            }
            if (!packed)
            {
                _file.Write(points);
                continue;
            }
            for (var at = 0; at < points.Length; at += step)
            {
                foreach (var field in cloud.Layout.Fields)
                    _file.Write(points.Slice(at + field.Offset, field.Size * field.Count));
            }
        }
    }

    private static void Swap(Span<byte> points, CloudLayout layout)
    {
        for (var at = 0; at < points.Length; at += layout.PointStep)
        {
            foreach (var field in layout.Fields)
            {
                for (var i = 0; i < field.Count; i++)
                    points.Slice(at + field.Offset + i * field.Size, field.Size).Reverse();
            }
        }
    }

    private void WriteLines(Stream target, IReadOnlyList<Column> columns, ImageFields fields, in ImageMessage image, int lineBytes)
    {
        Resize(ref _line, lineBytes + 1);
        Resize(ref _previous, lineBytes);
        _previous.AsSpan(0, lineBytes).Clear();
        const byte filteredByLineAbove = 2;
        for (var line = 0; line < image.Height; line++)
        {
            var pixels = _line.AsSpan(1, lineBytes);
            PixelLines.Convert(fields.Line(columns, image, line), image, pixels);
            for (var i = 0; i < pixels.Length; i++)
            {
                var value = pixels[i];
                pixels[i] -= _previous[i];
                _previous[i] = value;
            }
            _line[0] = filteredByLineAbove;
            target.Write(_line, 0, lineBytes + 1);
        }
    }

    private long BeginChunk(ReadOnlySpan<byte> type)
    {
        var start = _file.Position;
        _file.Write([0, 0, 0, 0]);
        _file.Write(type);
        return start;
    }

    private void EndChunk(long start)
    {
        var chunk = _file.GetBuffer().AsSpan((int)start, (int)(_file.Position - start));
        BinaryPrimitives.WriteInt32BigEndian(chunk, chunk.Length - 8);
        Span<byte> crc = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(crc, Crc32.Compute(chunk[4..]));
        _file.Write(crc);
    }

    private ReadOnlyMemory<byte> Written() => _file.GetBuffer().AsMemory(0, (int)_file.Length);

    private static void Resize(ref byte[] buffer, int length)
    {
        if (buffer.Length < length)
            buffer = new byte[length];
    }
}
