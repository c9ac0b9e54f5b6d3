using System.Buffers;
using System.Text;
using EdgeCloud.Ros2.Columns;
using EdgeCloud.Ros2.Json;

namespace EdgeCloud.Export.Formats;

/// <summary>
/// CSV as in RFC 4180: a header, CRLF, quotes where needed. Times are integers of nanoseconds, lists JSON, other runs of bytes base64;
/// what is missing is empty, empty text is <c>""</c>. Images and point clouds are not in it.
/// </summary>
internal sealed class CsvFormat : TextFormat
{
    protected override string Extension => "csv";

    protected override string ContentType => "text/csv";

    protected override bool InlinesFiles => false;

    protected override LineWriter CreateLines(IReadOnlyList<ColumnInfo> columns) => new CsvLines(columns);

    public override string Loading(ExportManifest manifest) =>
        """
        One file for each topic (several where the export has several parts: read them in order of name).

        ```python
        import pandas as pd
        table = pd.read_csv("TOPIC.csv")
        table["log_time"] = pd.to_datetime(table["log_time"])  # integers of nanoseconds
        ```

        Lists are JSON (`json.loads`), runs of bytes base64. Images and point clouds are not in CSV: ask for them as files.
        """;

    private sealed class CsvLines : LineWriter
    {
        private static readonly SearchValues<byte> Special = SearchValues.Create("\",\r\n"u8);
        private readonly JsonCells[] _cells;
        private readonly JsonBuffer _json = new();

        public CsvLines(IReadOnlyList<ColumnInfo> columns)
        {
            _cells = [.. columns.Select(column => new JsonCells(column.Type))];
            for (var i = 0; i < columns.Count; i++)
            {
                if (i > 0)
                    Text.Append((byte)',');
                AppendText(Encoding.UTF8.GetBytes(columns[i].Name));
            }
            Text.Append("\r\n"u8);
        }

        public override void Write(int row)
        {
            for (var i = 0; i < Columns.Count; i++)
            {
                if (i > 0)
                    Text.Append((byte)',');
                var column = Columns[i];
                if (column.IsMissing(row))
                    continue;
                if (column is NumberColumn numbers)
                    AppendNumber(numbers, row);
                else if (column is TextColumn text)
                    AppendText(text[row]);
                else
                    AppendJson(i, column, row);
            }
            Text.Append("\r\n"u8);
        }

        private void AppendNumber(NumberColumn column, int row)
        {
            switch (column.Type.Kind)
            {
                case ColumnKind.Bool:
                    Text.Append(column.Bytes[row] != 0 ? "true"u8 : "false"u8);
                    break;
                case ColumnKind.Int8:
                    Text.Append((long)column.Values<sbyte>()[row]);
                    break;
                case ColumnKind.UInt8:
                    Text.Append((long)column.Bytes[row]);
                    break;
                case ColumnKind.Int16:
                    Text.Append((long)column.Values<short>()[row]);
                    break;
                case ColumnKind.UInt16:
                    Text.Append((long)column.Values<ushort>()[row]);
                    break;
                case ColumnKind.Int32:
                    Text.Append((long)column.Values<int>()[row]);
                    break;
                case ColumnKind.UInt32:
                    Text.Append((long)column.Values<uint>()[row]);
                    break;
                case ColumnKind.UInt64:
                    Text.Append(column.Values<ulong>()[row]);
                    break;
                case ColumnKind.Float32:
                    Text.Append(column.Values<float>()[row]);
                    break;
                case ColumnKind.Float64:
                    Text.Append(column.Values<double>()[row]);
                    break;
                default:
                    Text.Append(column.Values<long>()[row]);
                    break;
            }
        }

        private void AppendJson(int index, Column column, int row)
        {
            _json.Clear();
            _cells[index].Write(_json, column, row);
            // Base64 is a JSON string, whose quotes a cell does not need.
            AppendText(column.Type.IsBytes ? _json.Written[1..^1] : _json.Written);
        }

        private void AppendText(ReadOnlySpan<byte> text)
        {
            var needsQuotes = text.IsEmpty || text.ContainsAny(Special) || text[0] == ' ' || text[^1] == ' ';
            if (!needsQuotes)
            {
                Text.Append(text);
                return;
            }
            Text.Append((byte)'"');
            for (int quote; (quote = text.IndexOf((byte)'"')) >= 0; text = text[(quote + 1)..])
            {
                Text.Append(text[..(quote + 1)]);
                Text.Append((byte)'"');
            }
            Text.Append(text);
            Text.Append((byte)'"');
        }
    }
}
