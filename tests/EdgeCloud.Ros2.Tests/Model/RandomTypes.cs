using System.Text;

namespace EdgeCloud.Ros2.Tests.Model;

/// <summary>Random message types and random messages of them, the same for the same seed.</summary>
public sealed class RandomTypes(int seed, bool idlFeatures)
{
    private static readonly string[] Primitives =
        ["bool", "byte", "char", "int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"];

    private readonly Random _random = new(seed);

    public TypeModel Type()
    {
        int count = _random.Next(1, 5);
        var structs = new List<StructModel>();
        for (int i = 0; i < count; i++)
            structs.Add(Struct(i, count));
        return new TypeModel(structs);
    }

    /// <summary>A value: bool, sbyte ... ulong, float, double, string, (int, uint) for time, List of values, or Fields; null where left out.</summary>
    public Dictionary<string, object?> Message(TypeModel types, StructModel type) =>
        type.Fields.ToDictionary(field => field.Name, field => field.Optional && _random.Next(3) == 0 ? null : Value(types, field));

    private StructModel Struct(int index, int count)
    {
        int fields = _random.Next(10) == 0 ? 0 : _random.Next(1, 7);
        var list = new List<FieldModel>();
        for (int f = 0; f < fields; f++)
            list.Add(Field(f, index, count));

        // Every nested type is used by someone: the type before it.
        if (index + 1 < count && list.TrueForAll(field => field.Base != $"T{index + 1}"))
            list.Add(new FieldModel("link", $"T{index + 1}") { Extent = (Extent)_random.Next(4), Size = _random.Next(1, 3), Id = 100 });
        return new StructModel($"T{index}", list) { Ext = idlFeatures ? (Ext)_random.Next(4) : Ext.None };
    }

    private FieldModel Field(int number, int index, int count)
    {
        int kind = _random.Next(10);
        string name = kind switch
        {
            < 5 => Primitives[_random.Next(Primitives.Length)],
            5 => "string",
            6 => "wstring",
            7 => _random.Next(2) == 0 ? "time" : "duration",
            8 when idlFeatures => TypeModel.EnumName,
            _ when index + 1 < count => $"T{_random.Next(index + 1, count)}",
            _ => "float64",
        };
        bool isText = name is "string" or "wstring";
        return new FieldModel($"f{number}_{name.ToLowerInvariant()}", name)
        {
            StringBound = isText && _random.Next(3) == 0 ? 12 : 0,
            Extent = _random.Next(2) == 0 ? Extent.One : (Extent)_random.Next(4),
            Size = _random.Next(1, 6),
            Optional = idlFeatures && _random.Next(4) == 0,
            Id = number * 3,
        };
    }

    private object Value(TypeModel types, FieldModel field)
    {
        if (field.Extent == Extent.One)
            return Element(types, field);
        int count = field.Extent switch { Extent.Fixed => field.Size, Extent.Bounded => _random.Next(field.Size + 1), _ => _random.Next(5) };
        return Enumerable.Range(0, count).Select(_ => Element(types, field)).ToList();
    }

    private object Element(TypeModel types, FieldModel field)
    {
        if (field.IsNested)
            return Message(types, types[field.Base]);
        long bits = _random.Next(4) switch { 0 => 0, 1 => -1, 2 => _random.Next(), _ => _random.NextInt64(long.MinValue, long.MaxValue) };
        return field.Base switch
        {
            "bool" => _random.Next(2) == 0,
            "byte" or "char" or "uint8" => (byte)bits,
            "int8" => (sbyte)bits,
            "int16" => (short)bits,
            "uint16" => (ushort)bits,
            "int32" => (int)bits,
            "uint32" => (uint)bits,
            "int64" => bits,
            "uint64" => (ulong)bits,
            "float32" => Float((float)_random.NextDouble(), float.NaN, float.MaxValue, BitConverter.Int32BitsToSingle((int)bits)),
            "float64" => Float(_random.NextDouble(), double.PositiveInfinity, 1e300, BitConverter.Int64BitsToDouble(bits)),
            "time" or "duration" => ((int)bits, (uint)_random.Next(1_000_000_000)),
            "string" => Text(withSurrogates: true),
            "wstring" => Text(withSurrogates: true),
            _ => _random.Next(3) switch { 0 => 0, 1 => 1, _ => 8 },
        };
    }

    private T Float<T>(params T[] choices) => choices[_random.Next(choices.Length)];

    private string Text(bool withSurrogates)
    {
        string[] alphabet = ["a", "Z", "7", " ", "\"", "\\", "\n", "\u0001", "é", "漢", withSurrogates ? "😀" : "x", "/"];
        var text = new StringBuilder();
        for (int i = _random.Next(9); i > 0; i--)
            text.Append(alphabet[_random.Next(alphabet.Length)]);
        return text.ToString();
    }
}
