using EdgeCloud.Mcap;

namespace EdgeCloud.Export;

/// <summary>Where the messages of one segment go.</summary>
internal sealed class Routes(OpenSegment segment, PlannedSession session, OutputChannels channels, RecentMessages recent)
{
    private readonly Dictionary<ushort, Route> _routes = [];

    /// <summary>The output's channel for a message; null for a repeat that is not needed.</summary>
    public (ushort Id, bool IsRepeat)? Take(in Message message)
    {
        if (!_routes.TryGetValue(message.ChannelId, out var route))
        {
            var channel = segment.Reader.Channels[message.ChannelId];
            _routes[message.ChannelId] = route = new Route(channel, Latched.IsRepeat(channel), recent.Of(channel.Topic));
        }
        if (route.IsRepeat && route.Recent.Has(message))
            return null;
        route.Recent.Note(message);
        // A channel is written with its first message: one that has none in the range is not in the output.
        route.Output ??= channels.Of(session, route.Channel, segment.Reader.Schemas);
        return (route.Output.Value, route.IsRepeat);
    }

    private sealed class Route(Channel channel, bool isRepeat, RecentMessages.Ring recent)
    {
        public Channel Channel => channel;
        public bool IsRepeat => isRepeat;
        public RecentMessages.Ring Recent => recent;
        public ushort? Output { get; set; }
    }
}
