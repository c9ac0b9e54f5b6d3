using EdgeCloud.Testing;

namespace EdgeCloud.Mqtt.Tests;

public abstract partial class ConnectionContract
{
    [Fact]
    public async Task The_will_of_each_connection_is_sent_when_it_breaks_and_is_asked_for_anew()
    {
        await using var relay = new TcpRelay(broker.Port);
        var asked = 0;
        var listener = await ListenAsync(Topic(Robot, "state"));
        var robot = await ConnectAsync(As(Robot) with
        {
            Port = relay.Port,
            Will = () => Text(Topic(Robot, "state"), $"gone {++asked}", retain: true),
        });

        for (var cut = 1; cut <= 2; cut++)
        {
            await ChangeAsync(robot, MqttConnectionState.Connected);
            relay.Cut();
            Assert.Equal($"gone {cut}", Text(await NextAsync(listener)));
        }

        await ChangeAsync(robot, MqttConnectionState.Connected);
        await ForgetStateAsync(robot);
        // While the relay still passes its farewell on: else the next test hears its Will.
        await robot.DisposeAsync();
    }

    [Fact]
    public async Task A_connection_that_is_disposed_sends_no_will()
    {
        var listener = await ListenAsync(Topic(Robot, "state"), Topic(Robot, "log"));
        var robot = await ConnectAsync(As(Robot) with { Will = () => Text(Topic(Robot, "state"), "gone") });

        await robot.DisposeAsync();

        var other = await ConnectAsync(As(Robot));
        await other.PublishAsync(Text(Topic(Robot, "log"), "marker"), Deadline);
        // A Will of another test's connection, whose relay went before its farewell, may come in between.
        for (var heard = ""; heard != "marker";)
        {
            heard = Text(await NextAsync(listener));
            Assert.NotEqual("gone", heard);
        }
    }

    [Fact]
    public async Task After_a_restart_of_the_broker_the_connection_and_its_subscriptions_are_back()
    {
        await using var own = new MosquittoBroker();
        await own.InitializeAsync();
        await own.AddRobotsAsync(Robot);
        var robot = await ConnectAsync(As(Robot, own) with { Subscriptions = [Topic(Robot, "custody")] });
        await robot.SubscribeAsync(Topic(Robot, "cmd"), Deadline);
        await ChangeAsync(robot, MqttConnectionState.Connected);

        await own.StopAsync();
        await ChangeAsync(robot, MqttConnectionState.Lost);
        Assert.False(robot.IsConnected);
        await Assert.ThrowsAsync<MqttException>(() => robot.PublishAsync(Text(Topic(Robot, "log"), "x"), Deadline));
        await own.RestartAsync();
        await ChangeAsync(robot, MqttConnectionState.Connected);

        var control = await ConnectAsync(As(ControlPlane, own));
        await control.PublishAsync(Text(Topic(Robot, "custody"), "from the options"), Deadline);
        await control.PublishAsync(Text(Topic(Robot, "cmd"), "from a call"), Deadline);
        Assert.Equal("from the options", Text(await NextAsync(robot)));
        Assert.Equal("from a call", Text(await NextAsync(robot)));
    }

    [Fact]
    public async Task A_publish_whose_connection_breaks_before_the_acknowledgement_fails()
    {
        await using var relay = new TcpRelay(broker.Port);
        var robot = await ConnectAsync(As(Robot) with { Port = relay.Port });
        relay.Freeze();
        var publishes = Enumerable.Range(0, 500).Select(i => robot.PublishAsync(Text(Topic(Robot, "log"), $"{i}"), Deadline)).ToArray();

        relay.Cut();

        foreach (var publish in publishes)
            Assert.Null((await Assert.ThrowsAsync<MqttException>(() => publish)).ReasonCode);
    }

    [Fact]
    public async Task A_publish_that_is_given_up_leaves_the_connection_working()
    {
        await using var relay = new TcpRelay(broker.Port);
        var robot = await ConnectAsync(As(Robot) with { Port = relay.Port });
        relay.Freeze();
        using var impatient = new CancellationTokenSource();
        var publish = robot.PublishAsync(Text(Topic(Robot, "log"), "given up"), impatient.Token);

        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => publish);
        relay.Restore();

        await robot.PublishAsync(Text(Topic(Robot, "log"), "next"), Deadline);
        Assert.True(robot.IsConnected);
    }

    [Fact]
    public async Task A_network_that_swallows_everything_is_noticed()
    {
        await using var relay = new TcpRelay(broker.Port);
        var robot = await ConnectAsync(As(Robot) with { Port = relay.Port, KeepAlive = TimeSpan.FromSeconds(5) });
        await ChangeAsync(robot, MqttConnectionState.Connected);

        relay.Freeze();

        Assert.NotEmpty((await ChangeAsync(robot, MqttConnectionState.Lost)).Reason);
    }

    [Fact]
    public async Task The_reason_of_the_brokers_farewell_is_passed_on()
    {
        const byte disconnect = 0xE0, takenOver = 0x8E;
        await using var strict = new ScriptedBroker();
        var robot = await ConnectAsync(strict.Options(_test));

        await strict.SayAsync([disconnect, 1, takenOver]);

        Assert.Contains("took the session over with this client id (0x8E)", (await ChangeAsync(robot, MqttConnectionState.Lost)).Reason);
    }

    [Fact]
    public async Task A_client_id_that_connects_twice_loses_its_first_connection()
    {
        var options = As(Robot) with { ClientId = $"twice-{_test}" };
        var first = await ConnectAsync(options with { ReconnectMin = TimeSpan.FromMinutes(1), ReconnectMax = TimeSpan.FromMinutes(1) });

        var second = await ConnectAsync(options);

        await ChangeAsync(first, MqttConnectionState.Lost);
        Assert.True(second.IsConnected);
    }

    [Fact]
    public async Task A_broker_that_cannot_be_reached_is_tried_again_and_the_process_goes_on()
    {
        var robot = Start(As(Robot) with { Port = FreePort.Next() });

        for (var i = 0; i < 3; i++)
            Assert.Equal(MqttConnectionState.Lost, (await robot.Changes.ReadAsync(Deadline)).State);

        var refused = await Assert.ThrowsAsync<MqttException>(() => robot.PublishAsync(Text(Topic(Robot, "log"), "x"), Deadline));
        Assert.Null(refused.ReasonCode);
        await Assert.ThrowsAsync<MqttException>(() => robot.SubscribeAsync(Topic(Robot, "cmd"), Deadline));
    }

    [Fact]
    public async Task A_host_name_that_does_not_resolve_is_said()
    {
        var robot = Start(As(Robot) with { Host = "broker.invalid" });

        Assert.Contains("broker.invalid", (await robot.Changes.ReadAsync(Deadline)).Reason);
    }

    [Fact]
    public async Task A_broker_that_never_answers_is_given_up_after_the_timeout()
    {
        await using var silent = new ScriptedBroker { Connack = null };
        var robot = Start(silent.Options(_test) with { ConnectTimeout = TimeSpan.FromMilliseconds(300) });

        Assert.Contains("did not answer", (await robot.Changes.ReadAsync(Deadline)).Reason);
    }

    [Fact]
    public async Task A_server_that_hangs_up_or_speaks_another_protocol_is_a_lost_connection()
    {
        await using var plain = new ScriptedBroker { HangUp = true };
        await using var other = new ScriptedBroker { Greeting = "HTTP/1.1 400 Bad Request\r\n\r\n"u8.ToArray() };
        using var authority = new TestAuthority();
        MqttOptions[] wrong =
        [
            plain.Options(_test),
            other.Options(_test),
            plain.Options(_test) with { Tls = new MqttTls { CaFile = authority.CaFile } },
            other.Options(_test) with { Tls = new MqttTls { CaFile = authority.CaFile } },
            As(Robot) with { Tls = null },
        ];

        foreach (var options in wrong)
        {
            var robot = Start(options);
            var change = await robot.Changes.ReadAsync(Deadline);
            Assert.Equal(MqttConnectionState.Lost, change.State);
            Assert.NotEmpty(change.Reason);
            await robot.DisposeAsync();
        }
    }

    [Fact]
    public async Task Disposing_ends_it_in_every_state_and_may_be_repeated()
    {
        await using var silent = new ScriptedBroker { Connack = null };
        var neverStarted = MqttConnection.Create(As(Robot), library);
        var hour = TimeSpan.FromHours(1);
        var unreachable = Start(As(Robot) with { Port = FreePort.Next(), ReconnectMin = hour, ReconnectMax = hour });
        var halfConnected = Start(silent.Options(_test) with { ConnectTimeout = hour });
        var connected = await ConnectAsync(As(Robot));
        await ChangeAsync(unreachable, MqttConnectionState.Lost);
        await silent.ConnectSeen.WaitAsync(Deadline);

        foreach (var connection in new[] { neverStarted, unreachable, halfConnected, connected })
        {
            await connection.DisposeAsync();
            await connection.DisposeAsync();
            Assert.False(connection.IsConnected);
            Assert.True(connection.Messages.Completion.IsCompletedSuccessfully);
            await Assert.ThrowsAsync<ObjectDisposedException>(() => connection.PublishAsync(Text(Topic(Robot, "log"), "x"), Deadline));
            await Assert.ThrowsAsync<ObjectDisposedException>(() => connection.WaitForConnectionAsync(Deadline));
            Assert.Throws<ObjectDisposedException>(connection.Start);
        }
    }

    [Fact]
    public async Task Whoever_waits_for_the_connection_learns_of_the_end()
    {
        var robot = Start(As(Robot) with { Port = FreePort.Next() });
        var waiting = robot.WaitForConnectionAsync(Deadline);

        await robot.DisposeAsync();

        await Assert.ThrowsAsync<ObjectDisposedException>(() => waiting);
    }

    [Fact]
    public async Task A_will_that_cannot_be_made_ends_the_connection_with_its_cause()
    {
        var robot = Start(As(Robot) with { Will = () => throw new InvalidDataException("no boot id") });

        await Assert.ThrowsAsync<InvalidDataException>(() => robot.Messages.Completion.WaitAsync(Deadline));
        await Assert.ThrowsAsync<InvalidDataException>(() => robot.WaitForConnectionAsync(Deadline));
        _opened.Remove(robot);
        await Assert.ThrowsAsync<InvalidDataException>(async () => await robot.DisposeAsync());
    }

    [Fact]
    public async Task Connections_leave_no_descriptors_and_no_threads_behind()
    {
        await OpenAndCloseAsync();
        var descriptors = OpenDescriptors();

        for (var i = 0; i < 20; i++)
            await OpenAndCloseAsync();

        await Eventually.Holds(() => NetworkThreads() == 0, Patience, "no network thread is left");
        await Eventually.Holds(() => OpenDescriptors() <= descriptors + 2, Patience, "no descriptor is left");

        async Task OpenAndCloseAsync()
        {
            var options = As(Robot) with { Will = () => Text(Topic(Robot, "state"), "gone") };
            await using var connection = MqttConnection.Create(options, library);
            connection.Start();
            await connection.WaitForConnectionAsync(Deadline);
            await connection.PublishAsync(Text(Topic(Robot, "log"), "x"), Deadline);
        }

        static int OpenDescriptors() => Directory.GetFiles("/proc/self/fd").Length;

        static int NetworkThreads() =>
            Directory.GetDirectories("/proc/self/task").Count(task => IsNetworkThread(Path.Combine(task, "comm")));

        static bool IsNetworkThread(string comm)
        {
            try
            {
                return File.ReadAllText(comm).Trim() == "mqtt";
            }
            catch (IOException)
            {
                return false; // ended meanwhile
            }
        }
    }
}
