using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;

namespace EdgeCloud.Testing.Containers;

/// <summary>
/// A server in a container of the image that <c>docker-compose.yml</c> names. Testcontainers' reaper removes the container when this
/// process is gone without having done so.
/// </summary>
internal abstract class ServerContainer(string folder) : IServer
{
    private IContainer? _container;

    /// <summary>The server's folder on this side.</summary>
    protected string Folder => folder;

    /// <inheritdoc/>
    public async Task StartAsync()
    {
        Directory.CreateDirectory(folder);
        _container = await CreateAsync();
        await _container.StartAsync();
    }

    /// <inheritdoc/>
    public abstract Task DoAsync(string verb, params string[] arguments);

    /// <inheritdoc/>
    public Task StopAsync() => Running.StopAsync();

    /// <inheritdoc/>
    public Task RestartAsync() => Running.State == TestcontainersStates.Running ? Task.CompletedTask : Running.StartAsync();

    /// <inheritdoc/>
    public virtual async ValueTask DisposeAsync()
    {
        if (_container is not null)
            await _container.DisposeAsync();
        if (Directory.Exists(folder))
            Directory.Delete(folder, recursive: true);
    }

    /// <summary>Prepares the folder and describes the container.</summary>
    protected abstract Task<IContainer> CreateAsync();

    /// <summary>
    /// A container of the service's image whose port is bound to a free port of 127.0.0.1, which is written to <c>port</c>. It is ready
    /// when the command succeeds in it.
    /// </summary>
    protected ContainerBuilder Describe(string service, int port, params string[] readyWhen)
    {
        // Not one that Docker chooses: after a stop and a start that would be another.
        var published = FreePort.ToComeBackTo().ToString();
        File.WriteAllText(Path.Combine(folder, "port"), published);
        return new ContainerBuilder(ImageOf(service))
            .WithPortBinding(published, port.ToString())
            .WithCreateParameterModifier(parameters =>
            {
                foreach (var binding in parameters.HostConfig?.PortBindings?.Values.SelectMany(bindings => bindings) ?? [])
                    binding.HostIP = "127.0.0.1";
            })
            .WithWaitStrategy(Wait.ForUnixContainer()
                .UntilCommandIsCompleted(readyWhen, strategy => strategy.WithTimeout(TimeSpan.FromMinutes(1))));
    }

    /// <summary>Runs a command in the container.</summary>
    /// <exception cref="InvalidOperationException">It failed; the text is what it said.</exception>
    protected async Task RunInsideAsync(params string[] command)
    {
        var result = await Running.ExecAsync(command);
        if (result.ExitCode != 0)
            throw new InvalidOperationException($"{command[0]} in {Running.Name} ended with {result.ExitCode}: {result.Stderr.Trim()}");
    }

    /// <summary>Copies a file of the folder to the same path in the container, where it belongs to root.</summary>
    protected Task CopyInsideAsync(string file, UnixFileModes mode)
    {
        var path = Path.Combine(folder, file);
        return Running.CopyAsync(File.ReadAllBytes(path), path, fileMode: mode);
    }

    private IContainer Running => _container ?? throw new InvalidOperationException("The server was not started.");

    // Tests and the composed stack run the same images because they are named once.
    private static string ImageOf(string service)
    {
        var compose = Repository.PathTo("docker-compose.yml");
        return File.ReadLines(compose)
            .SkipWhile(line => line != $"  {service}:")
            .Select(line => line.Trim())
            .First(line => line.StartsWith("image: ", StringComparison.Ordinal))["image: ".Length..];
    }
}
