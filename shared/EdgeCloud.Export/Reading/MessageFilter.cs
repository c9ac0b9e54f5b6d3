using EdgeCloud.Contracts;
using EdgeCloud.Mcap;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;

namespace EdgeCloud.Export.Reading;

/// <summary>The conditions that hold for one channel.</summary>
internal sealed class MessageFilter
{
    private readonly List<FieldCondition> _conditions = [];

    private MessageFilter()
    {
    }

    /// <summary>The filter of a channel; null when there is no condition for its topic.</summary>
    /// <exception cref="ExportException">A condition does not fit the topic's type; the message names both.</exception>
    public static MessageFilter? Of(IReadOnlyList<FieldFilter> filters, FeedChannel channel)
    {
        var result = new MessageFilter();
        foreach (var filter in filters.Where(f => TopicSelection.IsMatch(f.Topic, channel.Topic)))
        {
            try
            {
                result._conditions.Add(FieldCondition.Of(filter, channel));
            }
            catch (Exception e) when (e is ArgumentException or DefinitionException)
            {
                throw new ExportException($"Topic {channel.Topic} cannot be filtered by {filter.Field}: {e.Message}.", e);
            }
        }
        return result._conditions.Count == 0 ? null : result;
    }

    /// <summary>Whether a message meets all conditions; one that cannot be decoded meets none.</summary>
    public bool Passes(in Message message)
    {
        try
        {
            foreach (var condition in _conditions)
            {
                if (!condition.Holds(message))
                    return false;
            }
            return true;
        }
        catch (Exception e) when (e is CdrException or FormatException)
        {
            return false;
        }
    }
}
