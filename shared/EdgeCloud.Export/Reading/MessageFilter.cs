using System.Globalization;
using EdgeCloud.Contracts;
using EdgeCloud.Mcap;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Fields;

namespace EdgeCloud.Export.Reading;

/// <summary>The conditions that hold for one channel.</summary>
internal sealed class MessageFilter
{
    private readonly List<(FieldPath Path, FieldComparison Comparison, double Number, string Text)> _conditions = [];

    private MessageFilter()
    {
    }

    /// <summary>The filter of a channel; null when there is no condition for its topic.</summary>
    /// <exception cref="ExportException">A condition does not fit the topic's type; the message names both.</exception>
    public static MessageFilter? Of(IReadOnlyList<FieldFilter> filters, FeedChannel channel)
    {
        var own = filters.Where(f => TopicSelection.IsMatch(f.Topic, channel.Topic)).ToList();
        if (own.Count == 0)
            return null;
        if (channel.Encoding != "cdr" || channel.Schema is not { Encoding: "ros2msg" or "ros2idl" } schema)
            throw new ExportException($"Topic {channel.Topic} cannot be filtered by {own[0].Field}: its messages are not CDR with a ROS 2 definition. Leave the topic out of the filter.");
        var result = new MessageFilter();
        try
        {
            var definition = MessageSchema.Parse(schema.Name, schema.Encoding, schema.Data);
            foreach (var filter in own)
                result.Add(filter, FieldPath.Compile(definition, filter.Field), channel);
        }
        catch (Exception e) when (e is ArgumentException or DefinitionException)
        {
            throw new ExportException($"Topic {channel.Topic} cannot be filtered by {own[0].Field}: {e.Message}", e);
        }
        return result;
    }

    /// <summary>Whether a message meets all conditions; one that cannot be decoded meets none.</summary>
    public bool Passes(in Message message)
    {
        try
        {
            foreach (var (path, comparison, number, text) in _conditions)
            {
                var passes = path.IsText
                    ? path.ReadTexts(message.Data.Span).Any(t => (t == text) == (comparison == FieldComparison.Equal))
                    : path.Any(message.Data.Span, comparison, number);
                if (!passes)
                    return false;
            }
            return true;
        }
        catch (CdrException)
        {
            return false;
        }
    }

    private void Add(FieldFilter filter, FieldPath path, FeedChannel channel)
    {
        var comparison = filter.Comparison switch
        {
            FilterComparison.Equal => FieldComparison.Equal,
            FilterComparison.NotEqual => FieldComparison.NotEqual,
            FilterComparison.Less => FieldComparison.Less,
            FilterComparison.LessOrEqual => FieldComparison.LessOrEqual,
            FilterComparison.Greater => FieldComparison.Greater,
            _ => FieldComparison.GreaterOrEqual,
        };
        double number = 0;
        if (path.IsText && comparison is not (FieldComparison.Equal or FieldComparison.NotEqual))
            throw new ExportException($"Topic {channel.Topic}: {filter.Field} is text, which is only compared for equality.");
        if (!path.IsText && !double.TryParse(filter.Value, NumberStyles.Float, CultureInfo.InvariantCulture, out number))
        {
            number = filter.Value switch
            {
                "true" => 1,
                "false" => 0,
                _ => throw new ExportException($"Topic {channel.Topic}: {filter.Field} is a number and cannot be compared with '{filter.Value}'."),
            };
        }
        _conditions.Add((path, comparison, number, filter.Value));
    }
}
