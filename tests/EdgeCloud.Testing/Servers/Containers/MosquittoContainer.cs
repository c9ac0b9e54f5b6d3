using DotNet.Testcontainers.Builders;
using DotNet.Testcontainers.Configurations;
using DotNet.Testcontainers.Containers;

namespace EdgeCloud.Testing.Containers;

/// <summary>
/// mosquitto in a container. <c>infra/stack/mosquitto</c> makes the configuration, certificates, passwords and ACL; they are copied to
/// the same paths in the container, so that not a line of them differs from the local stack.
/// </summary>
internal sealed class MosquittoContainer(string folder) : ServerContainer(folder)
{
    private const int Port = 8883;
    private const UnixFileModes OwnerOnly = UnixFileModes.UserRead | UnixFileModes.UserWrite;
    private static readonly TimeSpan ReloadDeadline = TimeSpan.FromSeconds(10);

    // One at a time: two reloads at once are hard to tell apart in the log.
    private readonly SemaphoreSlim _adding = new(1);
    private FileStream? _log;

    /// <inheritdoc/>
    protected override async Task<IContainer> CreateAsync()
    {
        await StackScript.RunAsync("mosquitto",
            "prepare", "--dir", Folder, "--port", Port.ToString(), "--listen", "0.0.0.0", "--names", "localhost", "--persist");
        _log = new FileStream(
            LogFile, FileMode.Create, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0, FileOptions.Asynchronous);
        // What is copied belongs to root; mosquitto drops root and reads passwords again later. `exec`, so that it gets the signals.
        var run = $"mkdir -p {Folder}/data && chown -R mosquitto:mosquitto {Folder} && exec mosquitto -c {Folder}/mosquitto.conf";
        var container = Describe("mosquitto", Port, "nc", "-z", "127.0.0.1", Port.ToString())
            .WithEntrypoint("/bin/sh", "-c")
            .WithCommand(run)
            .WithOutputConsumer(Consume.RedirectStdoutAndStderrToStream(_log, _log));
        foreach (var file in (string[])["mosquitto.conf", "server.pem", "server.key", "passwords", "acl"])
            container = container.WithResourceMapping(new FileInfo(Path.Combine(Folder, file)), Folder, fileMode: OwnerOnly);
        return container.Build();
    }

    /// <inheritdoc/>
    public override Task DoAsync(string verb, params string[] arguments) => verb switch
    {
        "add-robot" => AddRobotsAsync(arguments),
        _ => throw new ArgumentOutOfRangeException(nameof(verb), verb, "mosquitto in a container knows add-robot only."),
    };

    /// <inheritdoc/>
    public override async ValueTask DisposeAsync()
    {
        await base.DisposeAsync();
        if (_log is not null)
            await _log.DisposeAsync();
        _adding.Dispose();
    }

    private string LogFile => Path.Combine(Folder, "mosquitto.log");

    private async Task AddRobotsAsync(string[] robots)
    {
        await _adding.WaitAsync();
        try
        {
            await StackScript.RunAsync("mosquitto", ["add-robot", "--dir", Folder, .. robots]);
            await CopyInsideAsync("passwords", OwnerOnly);
            var before = Reloads();
            await RunInsideAsync("/bin/sh", "-c", $"chown mosquitto:mosquitto {Folder}/passwords && kill -HUP 1");
            // mosquitto says so before it serves the next client.
            await Eventually.Holds(() => Reloads() > before, ReloadDeadline, "mosquitto reads its passwords again");
        }
        finally
        {
            _adding.Release();
        }
    }

    private int Reloads() => File.ReadLines(LogFile).Count(line => line.Contains("Reloading config", StringComparison.Ordinal));
}
