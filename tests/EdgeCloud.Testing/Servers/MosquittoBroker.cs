using Xunit;

namespace EdgeCloud.Testing;

/// <summary>
/// A real mosquitto for tests, set up as in the local stack: TLS with its own authority, one user per robot, an ACL that confines each
/// robot to its subtree, the user <c>controlplane</c>. In a container or Debian's (<see cref="ServerChoice"/>). Share one per assembly
/// with <c>[assembly: AssemblyFixture(typeof(MosquittoBroker))]</c>.
/// </summary>
public sealed class MosquittoBroker : IAsyncLifetime
{
    private readonly string _folder = StackScript.NewFolder("mosquitto");
    private IServer _server = null!;

    /// <summary>Host name that its certificate bears.</summary>
    public string Host => "localhost";

    /// <summary>TCP port, TLS only.</summary>
    public int Port { get; private set; }

    /// <summary>PEM file of its authority.</summary>
    public string CaFile => Path.Combine(_folder, "ca.pem");

    /// <summary>What the broker logged so far.</summary>
    public string Log => File.ReadAllText(Path.Combine(_folder, "mosquitto.log"));

    /// <summary>The password of <c>controlplane</c> or of a robot that was added.</summary>
    public string PasswordOf(string user) => StackScript.ReadLine(_folder, $"credentials/{user}");

    /// <summary>Adds robots while it runs; a robot that is there already stays as it is.</summary>
    public Task AddRobotsAsync(params string[] robots) => _server.DoAsync("add-robot", robots);

    /// <summary>Stops the broker, to test what happens without it. Queues and retained messages are kept.</summary>
    public Task StopAsync() => _server.StopAsync();

    /// <summary>Starts it again on the same port.</summary>
    public Task RestartAsync() => _server.RestartAsync();

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        _server = await ServerChoice.MosquittoAsync(_folder);
        await _server.StartAsync();
        Port = int.Parse(StackScript.ReadLine(_folder, "port"));
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
