namespace EdgeCloud.Testing;

/// <summary>
/// The one place that decides what the fixtures run: containers where this was built with <c>FullFeed=true</c> and a Docker engine of
/// this machine answers, Debian's servers otherwise. The engine is asked once per process.
/// </summary>
internal static class ServerChoice
{
#if FULL_FEED
    private static readonly Task<bool> InContainers = Containers.DockerEngine.AnswersAsync(TimeSpan.FromSeconds(3));

    public static async Task<IServer> PostgresAsync(string folder) =>
        await InContainers ? new Containers.PostgresContainer(folder) : DebianPostgres(folder);

    public static async Task<IServer> MosquittoAsync(string folder) =>
        await InContainers ? new Containers.MosquittoContainer(folder) : DebianMosquitto(folder);
#else
    public static Task<IServer> PostgresAsync(string folder) => Task.FromResult<IServer>(DebianPostgres(folder));

    public static Task<IServer> MosquittoAsync(string folder) => Task.FromResult<IServer>(DebianMosquitto(folder));
#endif

    private static DebianServer DebianPostgres(string folder) => new("postgres", folder, "--fast");

    private static DebianServer DebianMosquitto(string folder) => new("mosquitto", folder, "--persist");
}
