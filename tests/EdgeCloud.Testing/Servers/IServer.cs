namespace EdgeCloud.Testing;

/// <summary>
/// A server that a fixture runs, wherever it runs. Its folder holds what the scripts of <c>infra/stack</c> leave in theirs: <c>port</c>,
/// credentials and logs. Disposing ends the server and removes all of it.
/// </summary>
internal interface IServer : IAsyncDisposable
{
    /// <summary>Starts an empty server that is ready when this returns and ends with this process at the latest.</summary>
    Task StartAsync();

    /// <summary>Carries out a verb of the server's script, such as <c>create-database NAME</c>, on the running server.</summary>
    Task DoAsync(string verb, params string[] arguments);

    /// <summary>Stops it and keeps its data.</summary>
    Task StopAsync();

    /// <summary>Starts it again with its data on the same port.</summary>
    Task RestartAsync();
}
