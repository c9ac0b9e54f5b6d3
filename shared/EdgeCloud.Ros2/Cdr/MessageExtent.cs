using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.Cdr;

/// <summary>
/// Finds where a message ends in a payload that RTPS padded to a multiple of four bytes. Not for use by several threads.
/// </summary>
public sealed class MessageExtent
{
    private const int FaultsMax = 8;
    private readonly MessageSchema _schema;
    private readonly WireProgram?[] _programs = new WireProgram?[Encapsulation.FormCount];
    private int _faults;

    private MessageExtent(MessageSchema schema) => _schema = schema;

    /// <summary>For messages of a type; null when they end on a multiple of four bytes anyway.</summary>
    public static MessageExtent? Of(MessageSchema schema) => EndsAligned(schema, schema.Root) ? null : new MessageExtent(schema);

    /// <summary>
    /// Bytes of the message in <paramref name="payload"/>, its encapsulation header included. All of them when more than padding would be
    /// left, or the payload does not fit the definition.
    /// </summary>
    public int Measure(ReadOnlySpan<byte> payload)
    {
        if (_faults >= FaultsMax)
            return payload.Length;
        try
        {
            Encapsulation encapsulation = Encapsulation.Read(payload);
            WireProgram program = _programs[(int)encapsulation.Form] ??= WireProgramBuilder.BuildWhole(_schema, encapsulation.Form);
            if (program.HasWideText)
                return MeasureWide(payload, encapsulation, program);
            var walker = new CdrWalker(payload, encapsulation, program, WideForm.FourByteUnits);
            walker.SkipAll();
            return walker.BytesLeft < 4 ? payload.Length - walker.BytesLeft : payload.Length;
        }
        catch (Exception e) when (e is CdrException or DefinitionException)
        {
            // A publisher with another definition: a few attempts, then none, since errors are dear.
            _faults++;
            return payload.Length;
        }
    }

    private static int MeasureWide(ReadOnlySpan<byte> payload, Encapsulation encapsulation, WireProgram program)
    {
        foreach (WideForm form in (ReadOnlySpan<WideForm>)[WideForm.FourByteUnits, WideForm.Bytes, WideForm.TwoByteUnits])
        {
            try
            {
                var walker = new CdrWalker(payload, encapsulation, program, form);
                walker.SkipAll();
                if (walker.BytesLeft < 4)
                    return payload.Length - walker.BytesLeft;
            }
            catch (CdrException) when (form != WideForm.TwoByteUnits)
            {
                // Writers disagree on wide text; the next form may be this one's.
            }
        }

        return payload.Length;
    }

    private static bool EndsAligned(MessageSchema schema, MessageDefinition message)
    {
        if (message.Fields.Count == 0)
            return false;
        FieldType last = message.Fields[^1].Type;
        if (last.Array is not (ArrayKind.None or ArrayKind.Fixed))
            return false;
        return last.Kind switch
        {
            FieldKind.Message => last.Array == ArrayKind.None && EndsAligned(schema, schema.Messages[last.TypeName!]),
            FieldKind.Int32 or FieldKind.UInt32 or FieldKind.Int64 or FieldKind.UInt64 or FieldKind.Float32 or FieldKind.Float64 => true,
            _ => false,
        };
    }
}
