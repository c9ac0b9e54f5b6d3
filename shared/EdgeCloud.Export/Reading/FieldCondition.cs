using System.Text.Json;
using EdgeCloud.Contracts;
using EdgeCloud.Mcap;
using EdgeCloud.Ros2.Columns;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Fields;

namespace EdgeCloud.Export.Reading;

/// <summary>A condition on one field of the messages of a channel. Of several values one must meet it; a message without any does not.</summary>
internal abstract class FieldCondition
{
    /// <exception cref="FormatException">The payload is damaged.</exception>
    /// <exception cref="EdgeCloud.Ros2.Cdr.CdrException">The payload does not fit its definition.</exception>
    public abstract bool Holds(in Message message);

    /// <summary>The condition of a filter.</summary>
    /// <exception cref="ArgumentException">The filter does not fit the type.</exception>
    /// <exception cref="DefinitionException">The type's definition is not understood.</exception>
    public static FieldCondition Of(FieldFilter filter, FeedChannel channel)
    {
        var operand = FieldOperand.Of(filter);
        return (channel.Encoding, channel.Schema) switch
        {
            ("cdr", { Encoding: "ros2msg" or "ros2idl" } schema) => new CdrCondition(filter.Field, operand, schema),
            ("protobuf", { Encoding: "protobuf" } schema) => new ColumnCondition(filter.Field, operand, schema, channel.Encoding),
            ("json", _) => new JsonCondition(filter.Field, operand),
            _ => throw new ArgumentException(
                $"its messages are '{channel.Encoding}' with a definition in '{channel.Schema?.Encoding}', whose fields are not known. "
                + "Only CDR with a ROS 2 definition, protobuf with its descriptors and JSON can be filtered; leave the topic out of the filter"),
        };
    }

    /// <summary>Reads the field where it lies, without decoding the rest.</summary>
    private sealed class CdrCondition : FieldCondition
    {
        private readonly FieldPath _path;
        private readonly FieldOperand _operand;

        public CdrCondition(string field, FieldOperand operand, FeedSchema schema)
        {
            _path = FieldPath.Compile(MessageSchema.Parse(schema.Name, schema.Encoding, schema.Data), field);
            _operand = operand;
            operand.Demand(field, _path.IsText);
        }

        public override bool Holds(in Message message) => _path.IsText
            ? _path.ReadTexts(message.Data.Span).Any(text => (text == _operand.Text) == (_operand.Comparison == FilterComparison.Equal))
            : _path.Any(message.Data.Span, Comparison, _operand.Number!.Value);

        private FieldComparison Comparison => _operand.Comparison switch
        {
            FilterComparison.Equal => FieldComparison.Equal,
            FilterComparison.NotEqual => FieldComparison.NotEqual,
            FilterComparison.Less => FieldComparison.Less,
            FilterComparison.LessOrEqual => FieldComparison.LessOrEqual,
            FilterComparison.Greater => FieldComparison.Greater,
            _ => FieldComparison.GreaterOrEqual,
        };
    }

    /// <summary>Decodes the column that the field is in, and goes down into its lists.</summary>
    private sealed class ColumnCondition : FieldCondition
    {
        private readonly FieldOperand _operand;
        private readonly ColumnBatch _batch;
        private readonly List<int> _steps = []; // into a list: which item, or all of them; into a struct: which field

        public ColumnCondition(string field, FieldOperand operand, FeedSchema schema, string encoding)
        {
            _operand = operand;
            var path = FilterPath.Parse(field);
            var columns = ColumnPlan.Create(schema.Name, schema.Encoding, schema.Data, encoding).Columns;
            var (found, type) = Resolve(columns, path, schema.Name);
            operand.Demand(field, type.Kind == ColumnKind.Text);
            _batch = ColumnPlan.Create(schema.Name, schema.Encoding, schema.Data, encoding, [found.Name]).CreateBatch();
        }

        public override bool Holds(in Message message)
        {
            _batch.Clear();
            _batch.Append(message.Data.Span);
            return Holds(_batch.Columns[0], 0, 0);
        }

        /// <summary>The column that a path begins with, and the type of what it leads to; notes the steps between them.</summary>
        private (ColumnInfo Column, ColumnType Type) Resolve(IReadOnlyList<ColumnInfo> columns, IReadOnlyList<FilterPath.Step> path, string owner)
        {
            ColumnInfo? first = null;
            for (var taken = 0; ;)
            {
                // A column's name consists of all names down to it.
                var name = path[taken].Name;
                while (columns.All(c => c.Name != name) && path[taken].Index is null && taken + 1 < path.Count)
                    name += "." + path[++taken].Name;
                var place = columns.ToList().FindIndex(c => c.Name == name);
                if (place < 0)
                    throw new ArgumentException($"{owner} has no field '{name}' that can be compared; it has {Names(columns)}");
                if (first is null)
                    first = columns[place];
                else
                    _steps.Add(place);
                var type = columns[place].Type;
                if (type.Kind == ColumnKind.List)
                {
                    _steps.Add(path[taken].Index ?? FilterPath.All);
                    type = type.Items!;
                }
                else if (path[taken].Index is not null)
                {
                    throw new ArgumentException($"'{name}' is no list");
                }
                var isLast = ++taken == path.Count;
                if (isLast && type.Kind == ColumnKind.Struct)
                    throw new ArgumentException($"'{name}' is a message; name one of its fields: {Names(type.Fields)}");
                if (isLast)
                    return (first, type);
                if (type.Kind != ColumnKind.Struct)
                    throw new ArgumentException($"'{name}' has no fields");
                (columns, owner) = (type.Fields, name);
            }
        }

        private static string Names(IReadOnlyList<ColumnInfo> columns) => string.Join(", ", columns.Select(c => c.Name));

        private bool Holds(Column column, int row, int step)
        {
            if (column.IsMissing(row))
                return false;
            switch (column)
            {
                case ListColumn list:
                    var (from, to) = (list.Offsets[row], list.Offsets[row + 1]);
                    if (_steps[step] is >= 0 and var only)
                        (from, to) = (Math.Min(to, from + only), Math.Min(to, from + only + 1));
                    for (var item = from; item < to; item++)
                    {
                        if (Holds(list.Items, item, step + 1))
                            return true;
                    }
                    return false;
                case StructColumn structs:
                    return Holds(structs.Fields[_steps[step]], row, step + 1);
                case TextColumn text:
                    return _operand.Meets(text[row]);
                default:
                    return _operand.Meets(((NumberColumn)column).Number(row));
            }
        }
    }

    /// <summary>
    /// JSON has no definition: each message tells what the field is in it. A number is compared as a number, a truth value as 1 or 0,
    /// a text as text; a value of another kind than the operand is not equal to it.
    /// </summary>
    private sealed class JsonCondition : FieldCondition
    {
        private readonly FieldOperand _operand;
        private readonly IReadOnlyList<FilterPath.Step> _path;

        public JsonCondition(string field, FieldOperand operand)
        {
            (_operand, _path) = (operand, FilterPath.Parse(field));
            operand.Demand(field, isText: operand.Number is null);
        }

        public override bool Holds(in Message message)
        {
            try
            {
                using var json = JsonDocument.Parse(message.Data);
                return Holds(json.RootElement, 0);
            }
            catch (JsonException e)
            {
                throw new FormatException(e.Message, e);
            }
        }

        private bool Holds(JsonElement value, int step)
        {
            if (step < _path.Count)
            {
                return value.ValueKind == JsonValueKind.Array
                    ? value.EnumerateArray().Any(item => Holds(item, step))
                    : value.ValueKind == JsonValueKind.Object && value.TryGetProperty(_path[step].Name, out var field) && Enter(field, step);
            }
            return value.ValueKind switch
            {
                JsonValueKind.Array => value.EnumerateArray().Any(item => Holds(item, step)),
                JsonValueKind.Number => _operand.Meets(value.GetDouble()),
                JsonValueKind.True => _operand.Meets(1),
                JsonValueKind.False => _operand.Meets(0),
                JsonValueKind.String => _operand.Meets(System.Text.Encoding.UTF8.GetBytes(value.GetString()!)),
                _ => false,
            };
        }

        private bool Enter(JsonElement field, int step) => _path[step].Index is not { } index ? Holds(field, step + 1)
            : field.ValueKind == JsonValueKind.Array
                && (index == FilterPath.All ? Holds(field, step + 1) : index < field.GetArrayLength() && Holds(field[index], step + 1));
    }
}
