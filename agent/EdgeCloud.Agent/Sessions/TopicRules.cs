using EdgeCloud.Agent.Sources;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>How topics are treated that a session records.</summary>
/// <param name="Match">Pattern of topic names.</param>
/// <param name="Type">Pattern of types.</param>
/// <param name="Node">Pattern of publishing nodes; <c>*</c> also where no node is known.</param>
/// <param name="Class">Who is dropped first under pressure; null: as the type has it.</param>
/// <param name="MaxRateHz">Messages above this rate are left out; 0: no limit.</param>
/// <param name="MaxBytes">Messages larger than this are left out; 0: no limit.</param>
internal sealed record TopicRule(string Match, string Type, string Node, TopicClass? Class, double MaxRateHz, long MaxBytes)
{
    public bool Fits(SourceTopic topic, IReadOnlyList<string> nodes) =>
        TopicSelection.IsMatch(Match, topic.Topic) && TopicSelection.IsMatch(Type, topic.Type)
        && (Node == "*" || nodes.Any(n => TopicSelection.IsMatch(Node, n)));
}

/// <summary>The rules of the configuration; the first that fits a topic counts.</summary>
internal sealed class TopicRules(IReadOnlyList<TopicRule> rules)
{
    private static readonly TopicRule Unlimited = new("*", "*", "*", null, 0, 0);

    /// <summary>The class that a topic has by its rule, or else by itself.</summary>
    public TopicClass ClassOf(SourceTopic topic, IReadOnlyList<string> nodes) => Of(topic, nodes).Class ?? TopicClasses.Of(topic);

    public TopicRule Of(SourceTopic topic, IReadOnlyList<string> nodes) => rules.FirstOrDefault(r => r.Fits(topic, nodes)) ?? Unlimited;
}

/// <summary>Leaves out messages of one topic that are above its rule's limits.</summary>
internal sealed class TopicLimit(TopicRule rule)
{
    private readonly ulong _periodNs = rule.MaxRateHz > 0 ? (ulong)(1e9 / rule.MaxRateHz) : 0;
    private ulong _dueNs;

    /// <summary>Null for a rule without limits.</summary>
    public static TopicLimit? Of(TopicRule rule) => rule.MaxRateHz > 0 || rule.MaxBytes > 0 ? new TopicLimit(rule) : null;

    /// <summary>True when a message is to be left out.</summary>
    public bool Refuses(ulong logTimeNs, int bytes)
    {
        if (rule.MaxBytes > 0 && bytes > rule.MaxBytes)
            return true;
        if (_periodNs == 0)
            return false;
        // A clock that was set back must not silence the topic.
        if (logTimeNs < _dueNs && _dueNs - logTimeNs <= _periodNs)
            return true;
        // Due times keep their distance, so that 30 Hz limited to 10 Hz become 10 Hz and not 7.5 Hz because of jitter.
        _dueNs = logTimeNs >= _dueNs && logTimeNs - _dueNs < _periodNs ? _dueNs + _periodNs : logTimeNs + _periodNs;
        return false;
    }
}
