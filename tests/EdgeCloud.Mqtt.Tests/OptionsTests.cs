namespace EdgeCloud.Mqtt.Tests;

public sealed class OptionsTests
{
    private static readonly MqttOptions Good = new() { Host = "localhost", Port = 8883, ClientId = "amr-01" };

    public static TheoryData<string, MqttOptions> Bad => new()
    {
        { nameof(MqttOptions.Host), Good with { Host = "" } },
        { nameof(MqttOptions.Port), Good with { Port = 0 } },
        { nameof(MqttOptions.Port), Good with { Port = 65536 } },
        { nameof(MqttOptions.ClientId), Good with { ClientId = "" } },
        { nameof(MqttOptions.Password), Good with { Password = "secret" } },
        { nameof(MqttOptions.KeepAlive), Good with { KeepAlive = TimeSpan.FromSeconds(4) } },
        { nameof(MqttOptions.SessionExpiry), Good with { SessionExpiry = TimeSpan.FromSeconds(-1) } },
        { nameof(MqttOptions.ConnectTimeout), Good with { ConnectTimeout = TimeSpan.Zero } },
        { nameof(MqttOptions.ReceiveQueueLength), Good with { ReceiveQueueLength = 0 } },
        { nameof(MqttOptions.ReconnectMin), Good with { ReconnectMin = TimeSpan.Zero } },
        { nameof(MqttOptions.ReconnectMax), Good with { ReconnectMax = TimeSpan.FromMilliseconds(1) } },
        { nameof(MqttOptions.Tls), Good with { Tls = new MqttTls { CertificateFile = "client.pem" } } },
    };

    [Theory]
    [MemberData(nameof(Bad), DisableDiscoveryEnumeration = true)]
    public void A_setting_that_cannot_work_is_named_and_its_secret_is_not(string setting, MqttOptions options)
    {
        var refused = Assert.Throws<MqttException>(() => MqttConnection.Create(options));

        Assert.Contains(setting, refused.Message);
        Assert.DoesNotContain("secret", refused.Message);
    }

    [Fact]
    public async Task The_preferred_library_is_taken_unless_one_is_asked_for()
    {
        await using var preferred = MqttConnection.Create(Good);
        await using var chosen = MqttConnection.Create(Good, MqttLibrary.Libmosquitto);

        Assert.Contains(MqttLibrary.Libmosquitto, MqttConnection.Libraries);
        if (!MqttConnection.Libraries.Contains(MqttLibrary.MqttNet))
            Assert.Contains("MqttNet", Assert.Throws<MqttException>(() => MqttConnection.Create(Good, MqttLibrary.MqttNet)).Message);
    }

    [Fact]
    public async Task A_connection_is_started_once()
    {
        await using var connection = MqttConnection.Create(Good with { Port = 1 });
        connection.Start();

        Assert.Throws<InvalidOperationException>(connection.Start);
    }
}
