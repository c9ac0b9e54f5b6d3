using System.Buffers.Binary;
using System.Text;

namespace EdgeCloud.Ros2.Tests.Model;

public enum Xcdr
{
    Plain1,
    List1,
    Plain2,
    Delimited2,
    List2,
}

/// <summary>
/// Encodes messages of the tests' model by the rules of DDS-XTypes 1.3, 7.4.3. Knows nothing of the product.
/// What the specification leaves to the writer (length codes, order of members, extended headers) is chosen at random.
/// </summary>
public sealed class CdrEncoder(TypeModel types, Xcdr form, bool bigEndian, Random? choices = null)
{
    private readonly List<byte> _bytes = [];
    private int _origin;

    private bool Is2 => form >= Xcdr.Plain2;

    /// <summary>Encodes a message with its encapsulation header.</summary>
    public byte[] Encode(Dictionary<string, object?> message)
    {
        byte identifier = form switch { Xcdr.Plain1 => 0x00, Xcdr.List1 => 0x02, Xcdr.Plain2 => 0x06, Xcdr.Delimited2 => 0x08, _ => 0x0A };
        _bytes.AddRange([0, (byte)(identifier + (bigEndian ? 0 : 1)), 0, 0]);
        _origin = 4;
        Struct(types.Root, message);
        return [.. _bytes];
    }

    private Ext ExtOf(StructModel type) => type.Ext != Ext.None ? type.Ext : form switch
    {
        Xcdr.Delimited2 => Ext.Appendable,
        Xcdr.List1 or Xcdr.List2 => Ext.Mutable,
        _ => Ext.Final,
    };

    private void Struct(StructModel type, Dictionary<string, object?> value)
    {
        Ext ext = ExtOf(type);
        if (type.Fields.Count == 0)
        {
            var dummy = new FieldModel("structure_needs_at_least_one_member", "uint8");
            type = type with { Fields = [dummy] };
            value = new() { [dummy.Name] = (byte)0 };
        }

        if (ext == Ext.Mutable)
            Mutable(type, value);
        else if (ext == Ext.Appendable && Is2)
            Sized(() => Members(type, value));
        else
            Members(type, value);
    }

    private void Members(StructModel type, Dictionary<string, object?> value)
    {
        foreach (FieldModel field in type.Fields)
        {
            if (!field.Optional)
                Field(field, value[field.Name]!);
            else if (Is2)
                Flagged(field, value[field.Name]);
            else
                Parameter(field.Id, value[field.Name] is { } there ? () => Field(field, there) : null);
        }
    }

    private void Flagged(FieldModel field, object? value)
    {
        _bytes.Add(value is null ? (byte)0 : (byte)1);
        if (value is not null)
            Field(field, value);
    }

    private void Mutable(StructModel type, Dictionary<string, object?> value)
    {
        IEnumerable<FieldModel> order = choices is null ? type.Fields : type.Fields.OrderBy(_ => choices.Next());
        if (Is2)
        {
            Sized(() =>
            {
                foreach (FieldModel field in order.Where(f => value[f.Name] is not null))
                    Member2(field, value[field.Name]!);
            });
            return;
        }

        foreach (FieldModel field in order.Where(f => value[f.Name] is not null))
            Parameter(field.Id, () => Field(field, value[field.Name]!));
        if (choices?.Next(2) == 0)
            Parameter(999, () => _bytes.AddRange([1, 2, 3, 4])); // a member that the reader does not know
        Align(4);
        U16(0x3F02);
        U16(0);
    }

    /// <summary>XCDR1: id and length in 16 bits each, or in 32 bits each behind the extended id; alignment starts anew.</summary>
    private void Parameter(int id, Action? content)
    {
        Align(4);
        bool extended = choices?.Next(3) == 0;
        U16((ushort)(extended ? 0x3F01 : id));
        int lengthAt = _bytes.Count;
        U16(extended ? (ushort)8 : (ushort)0);
        if (extended)
        {
            U32((uint)id);
            lengthAt = _bytes.Count;
            U32(0);
        }

        int outer = _origin;
        int start = _origin = _bytes.Count;
        content?.Invoke();
        _origin = outer;
        Patch(lengthAt, _bytes.Count - start, extended ? 4 : 2);
    }

    private void Member2(FieldModel field, object value)
    {
        Align(4);
        int headerAt = _bytes.Count;
        U32(0);

        // Encode twice: with a length of its own, and, where the value starts with its length, sharing that.
        int nextAt = _bytes.Count;
        U32(0);
        int start = _bytes.Count;
        Field(field, value);
        int size = _bytes.Count - start;
        int code = 4;
        int fixedCode = size switch { 1 => 0, 2 => 1, 4 => 2, 8 => 3, _ => -1 };
        bool leadsWithLength = LeadingUnit(field) is { } unit && start % 4 == 0 && BitConverterRead(start) * unit == size - 4;
        if (fixedCode >= 0 && field is { IsNumber: true, Extent: Extent.One } && choices?.Next(2) != 0)
        {
            // Alignment is at most 4 here, so that the value does not move relative to it.
            _bytes.RemoveRange(nextAt, 4);
            code = fixedCode;
        }
        else if (leadsWithLength && choices?.Next(2) == 0)
        {
            _bytes.RemoveRange(nextAt, 4);
            code = LeadingUnit(field) switch { 4 => 6, 8 => 7, _ => 5 };
        }
        else
        {
            Patch(nextAt, size, 4);
        }

        Patch(headerAt, (int)(((uint)code << 28) | (uint)field.Id), 4);
    }

    private int BitConverterRead(int at)
    {
        byte[] word = [.. _bytes.Skip(at).Take(4)];
        return bigEndian ? BinaryPrimitives.ReadInt32BigEndian(word) : BinaryPrimitives.ReadInt32LittleEndian(word);
    }

    /// <summary>What the value's first word counts in: bytes, or elements of 4 or 8 bytes; null where it is no length.</summary>
    private int? LeadingUnit(FieldModel field)
    {
        if (field.Extent == Extent.One)
        {
            return field.Base == "string" || (field.IsNested && ExtOf(types[field.Base]) != Ext.Final) ? 1 : null;
        }

        if (!field.IsNumber || field.IsEnum)
            return 1; // the collection's size in bytes
        if (field.Extent == Extent.Fixed)
            return null;
        return field.Base switch
        {
            "bool" or "byte" or "char" or "int8" or "uint8" => 1,
            "int32" or "uint32" or "float32" => 4,
            "int64" or "uint64" or "float64" => 8,
            _ => null,
        };
    }

    private void Field(FieldModel field, object value)
    {
        if (field.Extent == Extent.One)
        {
            Element(field, value);
            return;
        }

        var list = (List<object>)value;
        void Elements()
        {
            if (field.Extent != Extent.Fixed)
                U32((uint)list.Count);
            foreach (object element in list)
                Element(field, element);
        }

        if (Is2 && (!field.IsNumber || field.IsEnum))
            Sized(Elements);
        else
            Elements();
    }

    private void Element(FieldModel field, object value)
    {
        switch (value)
        {
            case bool flag:
                _bytes.Add(flag ? (byte)1 : (byte)0);
                break;
            case byte or sbyte:
                _bytes.Add(value is byte octet ? octet : (byte)(sbyte)value);
                break;
            case short or ushort:
                U16(value is ushort half ? half : (ushort)(short)value);
                break;
            case int i:
                U32((uint)i);
                break;
            case uint word:
                U32(word);
                break;
            case float f:
                U32(BitConverter.SingleToUInt32Bits(f));
                break;
            case long l:
                U64((ulong)l);
                break;
            case ulong longWord:
                U64(longWord);
                break;
            case double d:
                U64(BitConverter.DoubleToUInt64Bits(d));
                break;
            case ValueTuple<int, uint> time:
                Time(time.Item1, time.Item2);
                break;
            case string text when field.Base == "wstring":
                Wide(text);
                break;
            case string text:
                byte[] utf8 = Encoding.UTF8.GetBytes(text);
                U32((uint)utf8.Length + 1);
                _bytes.AddRange([.. utf8, 0]);
                break;
            default:
                Struct(types[field.Base], (Dictionary<string, object?>)value);
                break;
        }
    }

    private void Time(int seconds, uint nanoseconds)
    {
        var type = new StructModel("time", [new FieldModel("sec", "int32") { Id = 0 }, new FieldModel("nanosec", "uint32") { Id = 1 }]);
        Struct(type, new() { ["sec"] = seconds, ["nanosec"] = nanoseconds });
    }

    /// <summary>As ROS 2 middlewares write it in XCDR1; as DDS-XTypes says in XCDR2.</summary>
    private void Wide(string text)
    {
        U32((uint)(Is2 ? 2 * text.Length : text.Length));
        foreach (char unit in text)
        {
            if (Is2)
                U16(unit);
            else
                U32(unit);
        }
    }

    private void Sized(Action content)
    {
        Align(4);
        int at = _bytes.Count;
        U32(0);
        content();
        Patch(at, _bytes.Count - at - 4, 4);
    }

    private void Align(int to)
    {
        while ((_bytes.Count - _origin) % to != 0)
            _bytes.Add(0);
    }

    private void U16(ushort value)
    {
        Align(2);
        Put(value, 2);
    }

    private void U32(uint value)
    {
        Align(4);
        Put(value, 4);
    }

    private void U64(ulong value)
    {
        Align(Is2 ? 4 : 8);
        Put(value, 8);
    }

    private void Put(ulong value, int size)
    {
        for (int i = 0; i < size; i++)
            _bytes.Add((byte)(value >> (8 * (bigEndian ? size - 1 - i : i))));
    }

    private void Patch(int at, int value, int size)
    {
        for (int i = 0; i < size; i++)
            _bytes[at + i] = (byte)((uint)value >> (8 * (bigEndian ? size - 1 - i : i)));
    }
}
