using Xunit;

namespace EdgeCloud.Testing;

/// <summary>
/// A real PostgreSQL for tests: empty, on a free port, without durability; in a container or Debian's (<see cref="ServerChoice"/>). Share
/// one per assembly with <c>[assembly: AssemblyFixture(typeof(PostgresServer))]</c> and give each test class a database of its own.
/// </summary>
public sealed class PostgresServer : IAsyncLifetime
{
    private readonly string _folder = StackScript.NewFolder("postgres");
    private IServer _server = null!;
    private int _databases;

    /// <summary>TCP port on 127.0.0.1.</summary>
    public int Port { get; private set; }

    /// <summary>Npgsql connection string of the empty database <c>edgecloud</c>; its user may do everything.</summary>
    public string ConnectionString => ConnectionStringOf("edgecloud");

    /// <summary>Npgsql connection string of another database.</summary>
    public string ConnectionStringOf(string database) =>
        $"Host=127.0.0.1;Port={Port};Username=edgecloud;Password={StackScript.ReadLine(_folder, "password")};Database={database}";

    /// <summary>Makes an empty database and returns its connection string.</summary>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = $"test_{Interlocked.Increment(ref _databases)}";
        await _server.DoAsync("create-database", name);
        return ConnectionStringOf(name);
    }

    /// <summary>Stops the server and keeps its data, to test what happens without it.</summary>
    public Task StopAsync() => _server.StopAsync();

    /// <summary>Starts it again on the same port.</summary>
    public Task RestartAsync() => _server.RestartAsync();

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _server = await ServerChoice.PostgresAsync(_folder);
        await _server.StartAsync();
        Port = int.Parse(StackScript.ReadLine(_folder, "port"));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
