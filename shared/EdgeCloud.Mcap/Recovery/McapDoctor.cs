using EdgeCloud.Mcap.Reading;

namespace EdgeCloud.Mcap.Recovery;

/// <summary>
/// Examines a file against the specification: framing, order of records, every CRC, definitions before their use, and every index,
/// count and offset against what is really there. Memory: the largest chunk, and about 100 bytes and 10 per channel for each chunk.
/// </summary>
public sealed class McapDoctor
{
    /// <summary>Findings kept in a report; further ones are counted only.</summary>
    public const int FindingsMax = 1000;

    private readonly DoctorFindings _findings = new();
    private readonly DataExamination _data;
    private readonly SummaryExamination _summary;

    private McapDoctor(bool strictMessageOrder, long chunkBytesMax)
    {
        _data = new(_findings, strictMessageOrder, chunkBytesMax);
        _summary = new(_findings, _data);
    }

    /// <summary>Reads the whole of <paramref name="source"/>.</summary>
    /// <param name="source">The file.</param>
    /// <param name="strictMessageOrder">Whether messages whose log times descend are errors.</param>
    /// <param name="chunkBytesMax">A chunk with more uncompressed bytes is an error.</param>
    /// <param name="cancellationToken">Stops the reading.</param>
    public static async ValueTask<DoctorReport> ExamineAsync(
        IByteSource source, bool strictMessageOrder = false, long chunkBytesMax = 1L << 30, CancellationToken cancellationToken = default)
    {
        var doctor = new McapDoctor(strictMessageOrder, chunkBytesMax);
        using (doctor._data)
            await doctor.ReadAsync(source, cancellationToken).ConfigureAwait(false);
        return doctor._findings.Report(doctor._data.MessageCount);
    }

    private async ValueTask ReadAsync(IByteSource source, CancellationToken cancellationToken)
    {
        using var records = new SourceRecords(source, new() { ExpandChunks = false, RecordBytesMax = Math.Max(1, source.Length) });
        try
        {
            while (await records.NextAsync(cancellationToken).ConfigureAwait(false) is { } record)
                Note(record);
        }
        catch (McapException e)
        {
            // Framing or a CRC over a whole section: what follows cannot be told apart from damage.
            _findings.Error(e);
            return;
        }
        _summary.Compare();
    }

    private void Note(McapRecord record)
    {
        try
        {
            if (_data.HasEnded)
                _summary.Note(record);
            else
                _data.Note(record);
        }
        catch (McapException e)
        {
            _findings.Error(e);
        }
    }
}

/// <summary>Collects findings.</summary>
internal sealed class DoctorFindings
{
    private readonly List<DoctorFinding> _findings = [];
    private int _errors;
    private int _warnings;

    public void Error(RecordPosition position, string text)
    {
        _errors++;
        Add(new(FindingSeverity.Error, position, text));
    }

    public void Error(McapException fault)
    {
        _errors++;
        Add(new(FindingSeverity.Error, fault.Position, $"{fault.Record}: expected {fault.Expected}, found {fault.Actual}"));
    }

    public void Warning(RecordPosition position, string text)
    {
        _warnings++;
        Add(new(FindingSeverity.Warning, position, text));
    }

    public DoctorReport Report(ulong messageCount) =>
        new() { Findings = _findings, ErrorCount = _errors, WarningCount = _warnings, MessageCount = messageCount };

    private void Add(DoctorFinding finding)
    {
        if (_findings.Count < McapDoctor.FindingsMax)
            _findings.Add(finding);
    }
}
