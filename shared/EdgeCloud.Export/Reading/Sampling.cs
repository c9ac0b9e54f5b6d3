using EdgeCloud.Contracts;

namespace EdgeCloud.Export.Reading;

/// <summary>Down-sampling of one topic of one session.</summary>
internal sealed class Sampler(TopicSampling sampling)
{
    private readonly decimal _periodNs = sampling.RateHz is { } rate ? 1_000_000_000m / (decimal)rate : 0;
    private decimal _period = -1;
    private long _count;

    /// <summary>Whether the next message, of this log time, is kept.</summary>
    public bool Takes(ulong logTime)
    {
        if (sampling.Every is { } every)
            return _count++ % every == 0;
        // Periods are counted from the epoch and not from the last message, so that it does not matter where a part begins.
        var period = decimal.Floor(logTime / _periodNs);
        if (period == _period)
            return false;
        _period = period;
        return true;
    }
}

/// <summary>The samplers of a part.</summary>
internal sealed class Samplers(IReadOnlyList<TopicSampling> samplings)
{
    private readonly Dictionary<(Guid Session, string Topic), Sampler> _samplers = [];

    /// <summary>The sampler of a topic; null when all its messages are kept.</summary>
    public Sampler? Of(Guid session, string topic)
    {
        if (samplings.FirstOrDefault(s => TopicSelection.IsMatch(s.Topic, topic)) is not { } sampling)
            return null;
        if (!_samplers.TryGetValue((session, topic), out var sampler))
            _samplers[(session, topic)] = sampler = new Sampler(sampling);
        return sampler;
    }
}
