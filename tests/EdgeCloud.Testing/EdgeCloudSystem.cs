using Xunit;

namespace EdgeCloud.Testing;

/// <summary>
/// The whole of EdgeCloud in real processes: PostgreSQL, mosquitto, radosgw, the control plane, and as many agents as a test starts.
/// The control plane's and the agent's projects must be built. Share one per class (<see cref="IClassFixture{TFixture}"/>) or assembly.
/// </summary>
public sealed class EdgeCloudSystem : IAsyncLifetime
{
    private static readonly TimeSpan CliDeadline = TimeSpan.FromSeconds(90);
    private readonly TemporaryFolder _folder = new();
    private readonly List<ProductProcess> _agents = [];

    /// <summary>Makes it; <see cref="InitializeAsync"/> starts it.</summary>
    public EdgeCloudSystem() : this("all")
    {
    }

    /// <summary>Makes it with a control plane of the given <see cref="ControlPlaneProcess.Role"/>.</summary>
    internal EdgeCloudSystem(string role)
    {
        ControlPlane = new ControlPlaneProcess(Postgres, Broker, S3) { Role = role };
        // Half of the objects are read whole, so that the tests meet both ways of checking one.
        ControlPlane.Settings["Custody__AuditEvery"] = "2";
    }

    /// <summary>Makes it so that exports are made by workers alone, which the test starts.</summary>
    public static EdgeCloudSystem WithoutWorker() => new("web");

    /// <summary>The database.</summary>
    public PostgresServer Postgres { get; } = new();
    /// <summary>The broker.</summary>
    public MosquittoBroker Broker { get; } = new();
    /// <summary>The S3 server.</summary>
    public S3Server S3 { get; } = new();
    /// <summary>The control plane.</summary>
    public ControlPlaneProcess ControlPlane { get; }
    /// <summary>The API, as administrator.</summary>
    public EdgeCloudApi Api { get; private set; } = null!;

    /// <summary>What the command <c>edgecloud</c> needs in its environment.</summary>
    public IReadOnlyDictionary<string, string> CliEnvironment =>
        new Dictionary<string, string> { ["EDGECLOUD_URL"] = ControlPlane.Address, ["EDGECLOUD_TOKEN"] = Api.Token };

    /// <summary>The data folder of a robot's agent.</summary>
    public string DataDir(string robot) => _folder[$"{robot}/data"];

    /// <summary>
    /// Starts an agent. <paramref name="source"/> is the value of <c>source</c> in YAML, such as <c>{ kind: simulated }</c>;
    /// <paramref name="sections"/> are further lines of its configuration, <paramref name="environment"/> overrides it. Called again for
    /// the same robot it continues with its data.
    /// </summary>
    public async Task<ProductProcess> StartAgentAsync(
        string robot, string source, string sections = "", IReadOnlyDictionary<string, string>? environment = null)
    {
        await Broker.AddRobotsAsync(robot);
        var key = await S3.AddRobotAsync(ControlPlane.Bucket, ControlPlaneProcess.Prefix, robot);
        Directory.CreateDirectory(_folder[robot]);
        var file = ConfigurationFile(robot);
        await File.WriteAllTextAsync(file, $$"""
            robot: {{robot}}
            data_dir: {{DataDir(robot)}}
            source: {{source}}
            mqtt: { host: {{Broker.Host}}, port: {{Broker.Port}}, password: "{{Broker.PasswordOf(robot)}}", tls: { enabled: true, ca_file: {{Broker.CaFile}} } }
            s3: { endpoint: "{{S3.Endpoint}}", region: {{S3.Region}}, bucket: {{ControlPlane.Bucket}}, prefix: {{ControlPlaneProcess.Prefix}}, access_key: "{{key.AccessKey}}", secret_key: "{{key.SecretKey}}" }
            disk: { minimum_free_bytes: 0 }
            telemetry: { interval_seconds: 0.5 }
            {{sections}}
            """);
        var agent = ProductProcess.StartAgent(["run", "--config", file], environment);
        _agents.Add(agent);
        return agent;
    }

    /// <summary>The configuration of a robot's agent.</summary>
    public string ConfigurationFile(string robot) => _folder[$"{robot}/agent.yaml"];

    /// <summary>Exports a session to MCAP with the command <c>edgecloud</c>; answers the file.</summary>
    public async Task<string> ExportAsync(Guid session)
    {
        var file = _folder[$"{session}.mcap"];
        await using var cli = ProductProcess.StartCli(
            ["exports", "create", "--session", session.ToString(), "--format", "mcap", "--wait", "--output", file], CliEnvironment);
        Assert.True(await cli.WaitForExitAsync(CliDeadline) == 0, cli.Output);
        return file;
    }

    /// <summary>For a test class's end: when the test failed, what the processes wrote goes into its output.</summary>
    public void ShowLogsOfFailure()
    {
        if (TestContext.Current.TestState?.Result != TestResult.Failed)
            return;
        var output = TestContext.Current.TestOutputHelper;
        output?.WriteLine($"--- control plane\n{ControlPlane.Output}");
        foreach (var agent in _agents)
            output?.WriteLine($"--- agent\n{agent.Output}");
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        await Task.WhenAll(Postgres.InitializeAsync().AsTask(), Broker.InitializeAsync().AsTask(), S3.InitializeAsync().AsTask());
        await ControlPlane.InitializeAsync();
        Api = await EdgeCloudApi.LogInAsync(ControlPlane.Address, ControlPlaneProcess.AdminUser, ControlPlaneProcess.AdminPassword);
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        foreach (var agent in _agents)
            await agent.DisposeAsync();
        Api?.Dispose();
        await ControlPlane.DisposeAsync();
        await Task.WhenAll(Postgres.DisposeAsync().AsTask(), Broker.DisposeAsync().AsTask(), S3.DisposeAsync().AsTask());
        _folder.Dispose();
    }
}
