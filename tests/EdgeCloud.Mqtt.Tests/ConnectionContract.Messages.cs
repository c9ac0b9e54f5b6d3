using System.Security.Cryptography;
using EdgeCloud.Testing;

namespace EdgeCloud.Mqtt.Tests;

public abstract partial class ConnectionContract
{
    [Fact]
    public async Task A_message_arrives_with_its_topic_payload_and_remaining_expiry()
    {
        var listener = await ListenAsync(Topic(Robot, "telemetry"));
        var robot = await ConnectAsync(As(Robot));

        await robot.PublishAsync(Text(Topic(Robot, "telemetry"), "grün {}", expiry: TimeSpan.FromSeconds(90)), Deadline);

        var message = await NextAsync(listener);
        Assert.Equal(Topic(Robot, "telemetry"), message.Topic);
        Assert.Equal("grün {}", Text(message));
        Assert.False(message.Retain);
        Assert.InRange(message.Expiry!.Value.TotalSeconds, 1, 90);
    }

    [Fact]
    public async Task A_message_without_expiry_arrives_without_one_and_may_be_empty()
    {
        var listener = await ListenAsync(Topic(Robot, "log"));
        var robot = await ConnectAsync(As(Robot));

        await robot.PublishAsync(Text(Topic(Robot, "log"), ""), Deadline);

        var message = await NextAsync(listener);
        Assert.Null(message.Expiry);
        Assert.Equal(0, message.Payload.Length);
    }

    [Fact]
    public async Task Messages_awaited_one_by_one_arrive_in_order()
    {
        var listener = await ListenAsync(Topic(Robot, "manifest"));
        var robot = await ConnectAsync(As(Robot));

        for (var i = 0; i < 100; i++)
            await robot.PublishAsync(Text(Topic(Robot, "manifest"), $"{i}"), Deadline);

        for (var i = 0; i < 100; i++)
            Assert.Equal($"{i}", Text(await NextAsync(listener)));
    }

    [Fact]
    public async Task Thousands_of_publishes_at_once_are_all_acknowledged_and_all_arrive()
    {
        const int count = 3000;
        var options = As(ControlPlane) with { Subscriptions = [Topic(Robot, "telemetry")], ReceiveQueueLength = count };
        var listener = await ConnectAsync(options);
        var robot = await ConnectAsync(As(Robot));

        await Task.WhenAll(Enumerable.Range(0, count).Select(i => robot.PublishAsync(Text(Topic(Robot, "telemetry"), $"{i}"), Deadline)));

        var seen = new HashSet<int>();
        for (var i = 0; i < count; i++)
            Assert.True(seen.Add(int.Parse(Text(await NextAsync(listener)))));
        Assert.Equal(0, listener.DroppedMessages);
        Assert.True(robot.IsConnected);
    }

    [Fact]
    public async Task A_message_of_four_mebibytes_arrives_unchanged()
    {
        var payload = RandomNumberGenerator.GetBytes(4 * 1024 * 1024);
        var listener = await ListenAsync(Topic(Robot, "log"));
        var robot = await ConnectAsync(As(Robot));

        await robot.PublishAsync(new MqttMessage { Topic = Topic(Robot, "log"), Payload = payload }, Deadline);

        Assert.True((await NextAsync(listener)).Payload.Span.SequenceEqual(payload));
    }

    [Fact]
    public async Task A_retained_message_reaches_a_later_subscriber_until_an_empty_one_clears_it()
    {
        var robot = await ConnectAsync(As(Robot));
        await robot.PublishAsync(Text(Topic(Robot, "state"), "here", retain: true), Deadline);

        var late = await ListenAsync(Topic(Robot, "state"));
        var kept = await NextAsync(late);
        Assert.Equal("here", Text(kept));
        Assert.True(kept.Retain);

        await ForgetStateAsync(robot);
        await robot.PublishAsync(Text(Topic(Robot, "log"), "marker"), Deadline);
        var later = await ListenAsync(Topic(Robot, "state"), Topic(Robot, "log"));
        await robot.PublishAsync(Text(Topic(Robot, "log"), "marker"), Deadline);
        Assert.Equal("marker", Text(await NextAsync(later)));
    }

    [Fact]
    public async Task A_message_that_expired_is_not_delivered()
    {
        var robot = await ConnectAsync(As(Robot));
        await robot.PublishAsync(Text(Topic(Robot, "state"), "short-lived", retain: true, expiry: TimeSpan.FromSeconds(1)), Deadline);

        // Each fresh subscriber gets what is retained before the marker; at some time nothing is.
        await Eventually.Holds(async () =>
        {
            var options = As(ControlPlane) with { Subscriptions = [Topic(Robot, "state"), Topic(Robot, "log")] };
            await using var fresh = MqttConnection.Create(options, library);
            fresh.Start();
            await fresh.WaitForConnectionAsync(Deadline);
            await robot.PublishAsync(Text(Topic(Robot, "log"), "marker"), Deadline);
            return Text(await NextAsync(fresh)) == "marker";
        }, Patience, "the message of one second's expiry is gone");
    }

    [Fact]
    public async Task What_does_not_fit_into_the_receive_queue_is_dropped_and_counted()
    {
        const int capacity = 10, sent = 25;
        var options = As(ControlPlane) with { Subscriptions = [Topic(Robot, "telemetry")], ReceiveQueueLength = capacity };
        var listener = await ConnectAsync(options);
        var robot = await ConnectAsync(As(Robot));

        for (var i = 0; i < sent; i++)
            await robot.PublishAsync(Text(Topic(Robot, "telemetry"), $"{i}"), Deadline);

        await Eventually.Holds(() => listener.DroppedMessages == sent - capacity, Patience, "15 messages are counted as dropped");
        for (var i = 0; i < capacity; i++)
            Assert.Equal($"{i}", Text(await NextAsync(listener)));
    }

    [Fact]
    public async Task Replicas_share_a_subscription_and_each_message_reaches_one_of_them()
    {
        const int sent = 40;
        var shared = $"$share/{_test}/edgecloud/v1/+/telemetry";
        var replicas = new[] { await ListenAsync(shared), await ListenAsync(shared) };
        var robot = await ConnectAsync(As(Robot));

        for (var i = 0; i < sent; i++)
            await robot.PublishAsync(Text(Topic(Robot, "telemetry"), $"{i}"), Deadline);

        await Eventually.Holds(() => replicas.Sum(r => r.Messages.Count) >= sent, Patience, "every message arrived");
        var seen = new List<int>();
        foreach (var replica in replicas)
        {
            Assert.NotEqual(0, replica.Messages.Count);
            while (replica.Messages.TryRead(out var message))
                seen.Add(int.Parse(Text(message)));
        }
        Assert.Equal(Enumerable.Range(0, sent), seen.Order());
    }

    [Fact]
    public async Task A_kept_session_delivers_what_was_published_meanwhile()
    {
        var options = As(Robot) with { ClientId = $"kept-{_test}", SessionExpiry = TimeSpan.FromHours(1) };
        await using (var before = MqttConnection.Create(options with { Subscriptions = [Topic(Robot, "cmd")] }, library))
        {
            before.Start();
            await before.WaitForConnectionAsync(Deadline);
        }
        var control = await ConnectAsync(As(ControlPlane));
        await control.PublishAsync(Text(Topic(Robot, "cmd"), "start"), Deadline);

        var after = await ConnectAsync(options);

        Assert.Equal("start", Text(await NextAsync(after)));
    }

    [Fact]
    public async Task Without_session_expiry_every_connection_starts_from_nothing()
    {
        var options = As(Robot) with { ClientId = $"clean-{_test}" };
        await using (var before = MqttConnection.Create(options with { Subscriptions = [Topic(Robot, "cmd")] }, library))
        {
            before.Start();
            await before.WaitForConnectionAsync(Deadline);
        }
        var control = await ConnectAsync(As(ControlPlane));
        await control.PublishAsync(Text(Topic(Robot, "cmd"), "missed"), Deadline);

        var after = await ConnectAsync(options);
        await after.SubscribeAsync(Topic(Robot, "cmd"), Deadline);
        await control.PublishAsync(Text(Topic(Robot, "cmd"), "seen"), Deadline);

        Assert.Equal("seen", Text(await NextAsync(after)));
    }
}
