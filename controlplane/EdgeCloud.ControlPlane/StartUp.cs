using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Npgsql;

namespace EdgeCloud.ControlPlane;

/// <summary>What has to be there before anything else: the schema and, where users sign in, the roles and the first administrator.</summary>
internal static partial class StartUp
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    /// <summary>Prepares the catalogue and waits for it as long as it takes: the database may well start after the control plane.</summary>
    public static async Task PrepareAsync(WebApplication app, bool withUsers = true)
    {
        using var stop = new CancellationTokenSource();
        using var onTerm = System.Runtime.InteropServices.PosixSignalRegistration.Create(
            System.Runtime.InteropServices.PosixSignal.SIGTERM, _ => stop.Cancel());
        while (true)
        {
            try
            {
                await CatalogueSetup.MigrateAsync(app.Services, stop.Token);
                if (!withUsers)
                    return;
                await using var scope = app.Services.CreateAsyncScope();
                await scope.ServiceProvider.GetRequiredService<Users>().EnsureFirstAsync(stop.Token);
                return;
            }
            catch (NpgsqlException e) when (e.IsTransient || e.SqlState is "57P03")
            {
                WaitingForDatabase(app.Logger, e.Message);
                await Task.Delay(Pause, stop.Token);
            }
        }
    }

    [LoggerMessage(EventId = 5002, Level = LogLevel.Warning, Message = "Waiting for the catalogue's database: {Reason}")]
    private static partial void WaitingForDatabase(ILogger log, string reason);
}
