namespace EdgeCloud.Mcap.Recovery;

/// <summary>How bad a finding is.</summary>
public enum FindingSeverity
{
    /// <summary>Against what the specification recommends, or hindering some readers. The file is sound all the same.</summary>
    Warning,
    /// <summary>Against what the specification demands, or data that does not match its CRC or index.</summary>
    Error,
}

/// <summary>Something that is not as it should be.</summary>
/// <param name="Severity">How bad it is.</param>
/// <param name="Position">Where.</param>
/// <param name="Text">What, with expected and actual.</param>
public sealed record DoctorFinding(FindingSeverity Severity, RecordPosition Position, string Text)
{
    /// <summary>One line: <c>error: offset 28: ...</c>.</summary>
    public override string ToString() => $"{(Severity == FindingSeverity.Error ? "error" : "warning")}: {Position}: {Text}";
}

/// <summary>What an examination found.</summary>
public sealed record DoctorReport
{
    /// <summary>What is not as it should be, in file order as far as it was found in reading, at most <see cref="McapDoctor.FindingsMax"/>.</summary>
    public required IReadOnlyList<DoctorFinding> Findings { get; init; }

    /// <summary>Errors in all, those left out of <see cref="Findings"/> counted.</summary>
    public required int ErrorCount { get; init; }

    /// <summary>Warnings in all.</summary>
    public required int WarningCount { get; init; }

    /// <summary>Messages that could be read.</summary>
    public required ulong MessageCount { get; init; }

    /// <summary>True without errors.</summary>
    public bool IsSound => ErrorCount == 0;
}
