using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Ros2.Cdr;

/// <summary>
/// Reads payloads of one message type for one kind of sink: picks the program for a payload's encapsulation,
/// compiling it when the first such payload comes, and finds out the form of wide text.
/// May be used by several threads at once.
/// </summary>
internal sealed class CdrReader(MessageSchema schema, WireShape shape)
{
    private const int PaddingMax = 3; // RTPS pads payloads to whole words
    private const int EmptyMessageMax = Encapsulation.Size + 1 + PaddingMax;

    private readonly WireProgram?[] _programs = new WireProgram?[Encapsulation.FormCount];
    private WideForm _lastWide1 = WideForm.FourByteUnits;
    private WideForm _lastWide2 = WideForm.Bytes;

    /// <summary>Compiles the usual program now, so that a definition at fault shows at once.</summary>
    /// <exception cref="DefinitionException">The message cannot be decoded.</exception>
    public void Prepare() => ProgramFor(WireForm.Plain1);

    /// <summary>Walks one payload.</summary>
    /// <exception cref="CdrException">The payload does not fit the definition; the sink was restarted.</exception>
    public void Read<TSink>(ReadOnlySpan<byte> payload, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        Encapsulation encapsulation = Encapsulation.Read(payload);

        // Recorders that do not know a definition leave its text empty; its messages are not empty, though.
        if (schema.Root is { Fields.Count: 0, Extensibility: Extensibility.Unspecified } && encapsulation.Form == WireForm.Plain1 && payload.Length > EmptyMessageMax)
            throw new CdrException("", Encapsulation.Size, $"the definition has no fields, but the payload has {payload.Length} bytes; it was recorded without its definition");
        WireProgram program = _programs[(int)encapsulation.Form] ?? ProgramFor(encapsulation.Form);
        if (program.HasWideText)
        {
            ReadWide(payload, encapsulation, program, ref sink);
            return;
        }

        try
        {
            new CdrWalker(payload, encapsulation, program, WideForm.Bytes).Walk(ref sink);
        }
        catch (CdrException)
        {
            sink.Restart();
            throw;
        }
    }

    private WireProgram ProgramFor(WireForm form) => _programs[(int)form] ??= WireProgramBuilder.Build(schema, form, shape);

    /// <summary>
    /// The form that worked last is tried first. A form is believed when the message ends where the payload does;
    /// where none does so, the first that reads without fault is taken.
    /// </summary>
    private void ReadWide<TSink>(ReadOnlySpan<byte> payload, Encapsulation encapsulation, WireProgram program, ref TSink sink)
        where TSink : struct, IWireSink, allows ref struct
    {
        bool isVersion2 = encapsulation.Form >= WireForm.Plain2;
        WideForm last = isVersion2 ? _lastWide2 : _lastWide1;
        CdrException? fault = null;
        WideForm? second = null;
        for (int n = 0; n < 3; n++)
        {
            var wide = (WideForm)(((int)last + n) % 3);
            try
            {
                var walker = new CdrWalker(payload, encapsulation, program, wide);
                walker.Walk(ref sink);
                if (walker.BytesLeft <= PaddingMax)
                {
                    _ = isVersion2 ? _lastWide2 = wide : _lastWide1 = wide;
                    return;
                }

                second ??= wide;
            }
            catch (CdrException e)
            {
                fault ??= e;
            }

            sink.Restart();
        }

        if (second is not { } form)
            throw fault!;
        new CdrWalker(payload, encapsulation, program, form).Walk(ref sink);
    }
}
