using EdgeCloud.Ros2.Columns;
using EdgeCloud.Ros2.Json;

namespace EdgeCloud.Export.Formats;

/// <summary>
/// JSON Lines: one object for each message, its members the table's columns. Integers are exact, NaN and infinities strings, runs of bytes
/// base64; images and point clouds are not in it.
/// </summary>
internal sealed class JsonLinesFormat : TextFormat
{
    protected override string Extension => "jsonl";

    protected override string ContentType => "application/jsonl";

    protected override bool InlinesFiles => false;

    protected override LineWriter CreateLines(IReadOnlyList<ColumnInfo> columns) => new JsonLines(columns);

    public override string Loading(ExportManifest manifest) =>
        """
        One file for each topic, one JSON object a line.

        ```python
        import pandas as pd
        table = pd.read_json("TOPIC.jsonl", lines=True, convert_dates=False, precise_float=True)
        ```

        Nested fields have names with dots; runs of bytes are base64, NaN and infinities strings.
        """;

    private sealed class JsonLines(IReadOnlyList<ColumnInfo> columns) : LineWriter
    {
        private readonly (byte[] Name, JsonCells Cells)[] _columns =
            [.. columns.Select(column => (JsonBuffer.EncodeName(column.Name), new JsonCells(column.Type)))];
        private readonly JsonBuffer _json = new();

        public override void Write(int row)
        {
            _json.Clear();
            _json.BeginObject();
            for (var i = 0; i < _columns.Length; i++)
            {
                _json.Name(_columns[i].Name);
                _columns[i].Cells.Write(_json, Columns[i], row);
            }
            _json.EndObject();
            Text.Append(_json.Written);
            Text.Append((byte)'\n');
        }
    }
}
