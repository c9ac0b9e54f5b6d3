namespace EdgeCloud.Testing;

/// <summary>A server of Debian's packages, run by a script of <c>infra/stack</c>.</summary>
/// <param name="script">The script's name.</param>
/// <param name="folder">The server's folder.</param>
/// <param name="options">Options of every start.</param>
internal sealed class DebianServer(string script, string folder, params string[] options) : IServer
{
    public Task StartAsync() => StackScript.StartAsync(script, folder, options);

    public Task DoAsync(string verb, params string[] arguments) => StackScript.RunAsync(script, [verb, "--dir", folder, .. arguments]);

    public Task StopAsync() => DoAsync("stop");

    public Task RestartAsync() => DoAsync("start", ["--port", StackScript.ReadLine(folder, "port"), .. options]);

    public async ValueTask DisposeAsync() => await DoAsync("stop", "--wipe");
}
