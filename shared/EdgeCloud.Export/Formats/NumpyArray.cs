using System.Globalization;
using System.Text;
using EdgeCloud.Export.Tables;
using EdgeCloud.Mcap;

namespace EdgeCloud.Export.Formats;

/// <summary>An array of a <c>.npz</c> archive that grows in scratch space. Format: NumPy Enhancement Proposal 1, version 1.0 or 2.0.</summary>
internal sealed class NumpyArray(string name, string descr, IReadOnlyList<int> dimensions, int itemBytes, Scratch scratch)
{
    private readonly ScratchStream _data = new(scratch);
    private uint _crc;

    public string Name => name;

    /// <summary>Type of an item, as NumPy writes it: <c>'&lt;f8'</c>, with quotes, or a list of fields.</summary>
    public string Descr { get; set; } = descr;

    /// <summary>Lengths of the dimensions after the first.</summary>
    public IReadOnlyList<int> Dimensions { get; set; } = dimensions;

    /// <summary>Bytes of an item.</summary>
    public int ItemBytes { get; set; } = itemBytes;

    public long Bytes => _data.Length;

    /// <summary>Length of the first dimension.</summary>
    public long Count => Bytes / Math.Max(1, ItemBytes * Dimensions.Aggregate(1L, (product, length) => product * length));

    public void Write(ReadOnlySpan<byte> items)
    {
        _crc = Crc32.Append(_crc, items);
        _data.Write(items);
    }

    public void Write(long item) => Write(System.Runtime.InteropServices.MemoryMarshal.AsBytes(new ReadOnlySpan<long>(in item)));

    public ScratchStream.Reader Read() => _data.Read();

    /// <summary>Writes the array as an entry; its items are gone then.</summary>
    public async ValueTask WriteToAsync(StoredZip zip, CancellationToken cancellation)
    {
        var header = Header();
        await zip.BeginAsync($"{name}.npy", header.Length + Bytes, Crc32.Combine(Crc32.Append(0, header), _crc, Bytes), cancellation).ConfigureAwait(false);
        await zip.WriteAsync(header, cancellation).ConfigureAwait(false);
        var reader = _data.ReadLast();
        while (reader.TakeSome() is { Length: > 0 } some)
            await zip.WriteAsync(some, cancellation).ConfigureAwait(false);
    }

    private byte[] Header()
    {
        var shape = string.Join(", ", Dimensions.Select(d => (long)d).Prepend(Count).Select(d => d.ToString(CultureInfo.InvariantCulture)));
        var text = $"{{'descr': {Descr}, 'fortran_order': False, 'shape': ({shape}{(Dimensions.Count == 0 ? "," : "")}), }}";
        var isShort = text.Length < 65_000;
        var prefix = isShort ? 10 : 12;
        var padded = text.PadRight((prefix + text.Length + 1 + 63) / 64 * 64 - prefix - 1) + "\n";
        var body = Encoding.UTF8.GetBytes(padded);
        byte[] start = isShort
            ? [0x93, .. "NUMPY"u8, 1, 0, (byte)body.Length, (byte)(body.Length >> 8)]
            : [0x93, .. "NUMPY"u8, 2, 0, .. BitConverter.GetBytes(body.Length)];
        return [.. start, .. body];
    }
}
