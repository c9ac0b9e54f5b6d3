namespace EdgeCloud.Export;

/// <summary>What a part came to; kept by whoever runs the parts until the export is assembled.</summary>
public sealed record PartResult
{
    /// <summary>Which part.</summary>
    public required int Part { get; init; }
    /// <summary>Its files, in the order in which they were written.</summary>
    public IReadOnlyList<ExportedFile> Files { get; set; } = [];
    /// <summary>What was exported, by topic, robot and type, in order of first message.</summary>
    public IReadOnlyList<ExportedTopic> Topics { get; set; } = [];
    /// <summary>Tables of several topics, which an alignment makes; empty otherwise.</summary>
    public IReadOnlyList<ExportedTable> Tables { get; set; } = [];
    /// <summary>What could not be read and was left out, one sentence each; empty unless the export may be incomplete.</summary>
    public IReadOnlyList<string> Problems { get; set; } = [];

    /// <summary>Messages written, repeats of latched messages excluded.</summary>
    public long Messages() => Topics.Sum(t => t.Messages);

    /// <summary>Bytes written.</summary>
    public long Bytes() => Files.Sum(f => f.Bytes);
}

/// <summary>A file of an export.</summary>
public sealed record ExportedFile
{
    /// <summary>Path below the export, with slashes.</summary>
    public required string Name { get; init; }
    /// <summary>Size.</summary>
    public required long Bytes { get; init; }
    /// <summary>SHA-256, lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }
    /// <summary>The table that it holds rows of; empty for a file of several topics.</summary>
    public string Table { get; set; } = "";
    /// <summary>Rows or messages in it.</summary>
    public long Rows { get; init; }
    /// <summary>Least log time in it, ns; 0 when it has no rows.</summary>
    public long FirstNs { get; init; }
    /// <summary>Greatest log time in it, ns; 0 when it has no rows.</summary>
    public long LastNs { get; init; }
}

/// <summary>What was exported of one topic of one robot.</summary>
public sealed record ExportedTopic
{
    /// <summary>Topic name.</summary>
    public required string Topic { get; init; }
    /// <summary>Robot.</summary>
    public required string Robot { get; init; }
    /// <summary>Schema name; empty when unknown.</summary>
    public string Type { get; set; } = "";
    /// <summary>SHA-256 of the schema's text; empty when there is none.</summary>
    public string SchemaHash { get; set; } = "";
    /// <summary>Message encoding.</summary>
    public string Encoding { get; set; } = "";
    /// <summary>QoS profiles that the recorder noted, as YAML; empty when unknown.</summary>
    public string Qos { get; set; } = "";
    /// <summary>RIHS01 type hash that the recorder noted; empty when unknown.</summary>
    public string TypeHash { get; set; } = "";
    /// <summary>Name of the table that its rows are in, or what the names of its columns in an aligned table begin with; empty in formats without tables.</summary>
    public string Table { get; set; } = "";
    /// <summary>Messages, repeats of latched messages excluded.</summary>
    public long Messages { get; init; }
    /// <summary>Repeats of latched messages whose original is not in the export.</summary>
    public long Repeats { get; init; }
    /// <summary>Least log time, ns.</summary>
    public long FirstNs { get; init; }
    /// <summary>Greatest log time, ns.</summary>
    public long LastNs { get; init; }
    /// <summary>Mean rate of the messages, Hz; 0 with fewer than two.</summary>
    public double RateHz => Messages > 1 && LastNs > FirstNs ? Math.Round((Messages - 1) * 1e9 / (LastNs - FirstNs), 3) : 0;
    /// <summary>Messages that could not be decoded; their rows have times and no values.</summary>
    public long Undecoded { get; init; }
    /// <summary>Why the first of them could not be decoded; empty when all were.</summary>
    public string Error { get; set; } = "";
    /// <summary>Columns of its table; empty in formats without tables, and in an alignment, whose tables are described on their own.</summary>
    public IReadOnlyList<ExportedColumn> Columns { get; set; } = [];

    /// <summary>Sums what belongs to one topic, robot and type, in order of first appearance.</summary>
    internal static IReadOnlyList<ExportedTopic> Sum(IEnumerable<ExportedTopic> topics) =>
        [.. topics.GroupBy(t => (t.Topic, t.Robot, t.Type, t.SchemaHash, t.Encoding)).Select(g => g.Aggregate((a, b) => a.Plus(b)))];

    private ExportedTopic Plus(ExportedTopic other) => this with
    {
        Messages = Messages + other.Messages,
        Repeats = Repeats + other.Repeats,
        FirstNs = Math.Min(FirstNs, other.FirstNs),
        LastNs = Math.Max(LastNs, other.LastNs),
        Undecoded = Undecoded + other.Undecoded,
        Error = Error.Length > 0 ? Error : other.Error,
        Qos = Qos.Length > 0 ? Qos : other.Qos,
        TypeHash = TypeHash.Length > 0 ? TypeHash : other.TypeHash,
        Columns = Columns.Count > 0 ? Columns : other.Columns,
    };
}

/// <summary>A table of several topics on one clock.</summary>
/// <param name="Name">Name of the table.</param>
/// <param name="Columns">Its columns.</param>
public sealed record ExportedTable(string Name, IReadOnlyList<ExportedColumn> Columns)
{
    /// <summary>One description of each table, in order of name. Parts agree about columns; sessions that share a table need not.</summary>
    internal static IReadOnlyList<ExportedTable> Sum(IEnumerable<ExportedTable> tables) =>
        [.. tables.GroupBy(t => t.Name).OrderBy(g => g.Key, StringComparer.Ordinal)
            .Select(g => new ExportedTable(g.Key, [.. g.SelectMany(t => t.Columns).DistinctBy(c => c.Name)]))];
}

/// <summary>A column of a table.</summary>
/// <param name="Name">Name in the files.</param>
/// <param name="Type">Type, such as <c>float64</c>, <c>timestamp</c> or <c>list&lt;float32&gt;</c>.</param>
/// <param name="Unit">Unit, such as <c>m/s</c>; null when the definition does not tell.</param>
public sealed record ExportedColumn(string Name, string Type, string? Unit);
