using EdgeCloud.Agent.Sources;

namespace EdgeCloud.Agent.Sessions;

/// <summary>Looks at the messages of one session for its rules. Called under the recorder's gate; told are the session's owners.</summary>
/// <param name="rules">None for a session that is no ring.</param>
/// <param name="fired">A rule fired at a log time, ns since the Unix epoch. Must not block.</param>
/// <param name="unfit">A rule does not fit its topic, and why.</param>
internal sealed class TriggerWatch(IReadOnlyList<TriggerRule> rules, Action<TriggerRule, long> fired, Action<TriggerRule, string> unfit)
{
    /// <summary>The conditions on a topic's messages.</summary>
    public TriggerCondition[] For(SourceTopic topic)
    {
        List<TriggerCondition> conditions = [];
        foreach (var rule in rules.Where(r => r.Topic == topic.Topic))
        {
            try
            {
                conditions.Add(rule.Compile(topic));
            }
            catch (FormatException e)
            {
                unfit(rule, e.Message);
            }
        }
        return [.. conditions];
    }

    /// <summary>Looks at a message.</summary>
    public void Look(TriggerCondition condition, in MessageTimes times, ReadOnlySpan<byte> payload)
    {
        if (condition.Fires(payload, (long)times.LogTimeNs))
            fired(condition.Rule, (long)times.LogTimeNs);
    }
}
