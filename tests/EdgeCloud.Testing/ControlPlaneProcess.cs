using System.Net.Http.Json;
using Xunit;

namespace EdgeCloud.Testing;

/// <summary>
/// The real control plane as a process of its own, with a database, a bucket and the broker of the given servers. Its port is free, its
/// first administrator is <see cref="AdminUser"/>.
/// </summary>
public sealed class ControlPlaneProcess(PostgresServer postgres, MosquittoBroker broker, S3Server s3) : IAsyncLifetime
{
    /// <summary>Name of the first administrator.</summary>
    public const string AdminUser = "admin";
    /// <summary>Its password, which the fixture chose in place of the configuration's.</summary>
    public const string AdminPassword = "a password of the tests";
    /// <summary>Folder of the recordings in the bucket.</summary>
    public const string Prefix = "recordings";

    private const string FirstPassword = "a password of the configuration";
    private const string Listening = "Now listening on: ";
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    private ProductProcess? _process;

    /// <summary>Address, without a slash at its end.</summary>
    public string Address { get; private set; } = "";
    /// <summary>Connection string of its catalogue.</summary>
    public string ConnectionString { get; private set; } = "";
    /// <summary>Its bucket.</summary>
    public string Bucket { get; private set; } = "";
    /// <summary>What it wrote since its last start.</summary>
    public string Output => _process?.Output ?? "";

    /// <summary>What it does: <c>all</c>, or <c>web</c> where workers are processes of their own; to be set before the start.</summary>
    public string Role { get; init; } = "all";

    /// <summary>Settings beside those that the fixture makes, by environment name; to be set before the start.</summary>
    public Dictionary<string, string> Settings { get; } = [];

    /// <summary>Starts it on its catalogue and bucket, which are kept over a stop, and waits until it answers and reaches its servers.</summary>
    public async Task StartAsync()
    {
        _process = ProductProcess.StartControlPlane(
            ["run", "--role", Role, "--urls", Address.Length > 0 ? Address : $"http://127.0.0.1:{FreePort.ToComeBackTo()}"], Environment());
        var line = await _process.WaitForLineAsync(Listening, Deadline);
        Address = line[(line.IndexOf(Listening, StringComparison.Ordinal) + Listening.Length)..].Trim();
        using var http = new HttpClient();
        await Eventually.Holds(
            async () => (await http.GetAsync($"{Address}/readyz")).IsSuccessStatusCode, Deadline, "the control plane is ready");
    }

    /// <summary>
    /// Starts another process on the same catalogue and bucket that only makes exports. <paramref name="settings"/> go before everything else.
    /// </summary>
    public ProductProcess StartWorker(params (string Name, string Value)[] settings)
    {
        var environment = Environment();
        foreach (var (name, value) in settings)
            environment[name] = value;
        return ProductProcess.StartControlPlane(["run", "--role", "worker", "--urls", "http://127.0.0.1:0"], environment);
    }

    /// <summary>Ends it, politely or by SIGKILL, and waits until it is gone.</summary>
    public async Task StopAsync(bool kill = false)
    {
        if (_process is not { HasExited: false })
            return;
        if (kill)
            await _process.KillAsync();
        else
            await _process.TerminateAsync(Deadline);
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        ConnectionString = await postgres.CreateDatabaseAsync();
        Bucket = await s3.CreateBucketAsync();
        await StartAsync();
        using var http = new HttpClient();
        using var changed = await http.PostAsJsonAsync(
            $"{Address}/api/v1/password", new { user = AdminUser, password = FirstPassword, new_password = AdminPassword });
        changed.EnsureSuccessStatusCode();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
            await _process.DisposeAsync();
    }

    private Dictionary<string, string> Environment() => new(Settings)
    {
        ["ConnectionStrings__Catalogue"] = ConnectionString,
        ["Mqtt__Host"] = broker.Host,
        ["Mqtt__Port"] = broker.Port.ToString(),
        ["Mqtt__User"] = "controlplane",
        ["Mqtt__Password"] = broker.PasswordOf("controlplane"),
        ["Mqtt__Tls__CaFile"] = broker.CaFile,
        ["S3__Endpoint"] = s3.Endpoint,
        ["S3__Region"] = s3.Region,
        ["S3__Bucket"] = Bucket,
        ["S3__Prefix"] = Prefix,
        ["S3__AccessKey"] = s3.Owner.AccessKey,
        ["S3__SecretKey"] = s3.Owner.SecretKey,
        ["Access__FirstAdminUser"] = AdminUser,
        ["Access__FirstAdminPassword"] = FirstPassword,
        ["Access__LoginsPerMinute"] = "1000",
        ["Api__RequestsPerMinute"] = Settings.GetValueOrDefault("Api__RequestsPerMinute", "1000000"),
        // Receivers of the tests are on this machine, and retries are not waited for as long as in the field.
        ["Webhooks__AllowedNetworks"] = "127.0.0.0/8",
        ["Webhooks__RetryHaste"] = "50",
    };
}
