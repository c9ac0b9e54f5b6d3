using System.Runtime.InteropServices;
using System.Text;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.Json;

/// <summary>CDR messages as JSON objects.</summary>
internal sealed class CdrJson : MessageJson
{
    private readonly JsonBuffer _json = new();
    private readonly JsonBytes _bytes;
    private readonly CdrReader _reader;
    private readonly Dictionary<string, int> _slots = new(StringComparer.Ordinal);
    private readonly List<byte[]> _names = [];

    public CdrJson(MessageSchema schema, JsonBytes bytes)
    {
        _bytes = bytes;
        _reader = new CdrReader(schema, new WireShape(SlotOf, WantsStructs: true));
        _reader.Prepare();
    }

    public override ReadOnlySpan<byte> Write(ReadOnlySpan<byte> payload)
    {
        _json.Clear();
        var sink = new JsonSink(this);
        _reader.Read(payload, ref sink);
        return _json.Written;
    }

    /// <summary>Slots are places in the list of names; elements of lists and the root have none.</summary>
    private int SlotOf(string path)
    {
        if (!_slots.TryGetValue(path, out int slot))
        {
            slot = _slots[path] = _names.Count;
            bool isNamed = path.Length > 0 && !path.EndsWith(']');
            _names.Add(isNamed ? JsonBuffer.EncodeName(path[(path.LastIndexOf('.') + 1)..]) : []);
        }

        return slot;
    }

    private readonly struct JsonSink(CdrJson owner) : IWireSink
    {
        private readonly JsonBuffer _json = owner._json;

        public void Bits1(in WireOp op, byte bits)
        {
            Name(op);
            if (op.Kind == FieldKind.Bool)
                _json.Bool(bits != 0);
            else
                _json.Integer(op.Kind == FieldKind.Int8 ? (sbyte)bits : (long)bits);
        }

        public void Bits2(in WireOp op, ushort bits)
        {
            Name(op);
            _json.Integer(op.Kind == FieldKind.Int16 ? (short)bits : (long)bits);
        }

        public void Bits4(in WireOp op, uint bits)
        {
            Name(op);
            if (op.Kind == FieldKind.Float32)
                _json.Float(BitConverter.UInt32BitsToSingle(bits));
            else
                _json.Integer(op.Kind == FieldKind.Int32 ? (int)bits : (long)bits);
        }

        public void Bits8(in WireOp op, ulong bits)
        {
            Name(op);
            if (op.Kind == FieldKind.Float64)
                _json.Float(BitConverter.UInt64BitsToDouble(bits));
            else if (op.Kind == FieldKind.Int64)
                _json.Integer((long)bits);
            else
                _json.Integer(bits);
        }

        public void Time(in WireOp op, int seconds, uint nanoseconds)
        {
            Name(op);
            _json.BeginObject();
            _json.Name("\"sec\":"u8);
            _json.Integer((long)seconds);
            _json.Name("\"nanosec\":"u8);
            _json.Integer((long)nanoseconds);
            _json.EndObject();
        }

        public void Text(in WireOp op, ReadOnlySpan<byte> utf8)
        {
            Name(op);
            _json.Text(utf8);
        }

        public void WideText(in WireOp op, ReadOnlySpan<byte> units, int unitSize, bool swap)
        {
            Name(op);
            _json.BeginText();
            foreach (Rune rune in new WideRunes(units, unitSize, swap))
                _json.TextPart(rune);
            _json.EndText();
        }

        public void Numbers(in WireOp op, ReadOnlySpan<byte> block, bool swap)
        {
            Name(op);
            if (op.Kind is FieldKind.UInt8 or FieldKind.Byte or FieldKind.Char)
            {
                if (owner._bytes == JsonBytes.Base64)
                    _json.Base64(block);
                else
                    _json.ByteArray(block);
                return;
            }

            _json.BeginArray();
            WireOp element = op with { Slot = owner.SlotOf("") };
            for (int at = 0; at < block.Length; at += op.Size)
            {
                ReadOnlySpan<byte> value = block.Slice(at, op.Size);
                switch (op.Size)
                {
                    case 1:
                        Bits1(element, value[0]);
                        break;
                    case 2:
                        Bits2(element, WireNumber.Read<ushort>(value, swap));
                        break;
                    case 4:
                        Bits4(element, WireNumber.Read<uint>(value, swap));
                        break;
                    default:
                        Bits8(element, WireNumber.Read<ulong>(value, swap));
                        break;
                }
            }

            _json.EndArray();
        }

        public void BeginList(in WireOp op, int count)
        {
            Name(op);
            _json.BeginArray();
        }

        public void EndList(in WireOp op) => _json.EndArray();

        public void BeginStruct(in WireOp op)
        {
            Name(op);
            _json.BeginObject();
        }

        public void EndStruct(in WireOp op) => _json.EndObject();

        public void Missing(in WireOp op)
        {
            Name(op);
            _json.Null();
        }

        public void Restart() => _json.Clear();

        private void Name(in WireOp op) => _json.Name(CollectionsMarshal.AsSpan(owner._names)[op.Slot]);
    }
}
