using System.Diagnostics.Metrics;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Fleet;
using Npgsql;

namespace EdgeCloud.ControlPlane;

/// <summary>
/// What a supervisor asks: <c>/healthz</c> (the process answers), <c>/readyz</c> (database, broker and bucket answer too, else 503 and
/// which does not), <c>/metrics</c> (Prometheus text; an API key, unless <c>Metrics:Anonymous</c> is true).
/// </summary>
internal static class Health
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    public static void AddHealth(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<PrometheusText>();
        builder.Services.AddHostedService(services => services.GetRequiredService<PrometheusText>());
    }

    public static void MapHealth(this WebApplication app)
    {
        // A worker has nothing to do with robots.
        if (app.Services.GetService<FleetLink>() is { } link)
        {
            var meter = app.Services.GetRequiredService<IMeterFactory>().Create(PrometheusText.MeterName);
            meter.CreateObservableGauge("edgecloud_broker_connected", () => link.IsConnected ? 1 : 0, description: "1 while the MQTT connection stands.");
            meter.CreateObservableCounter("edgecloud_messages_dropped_total", () => link.DroppedMessages, description: "Messages dropped on arrival.");
        }

        app.MapGet("/healthz", () => TypedResults.Ok(new Dictionary<string, string> { ["status"] = "ok" })).AllowAnonymous().ExcludeFromDescription();
        app.MapGet("/readyz", ReadyAsync).AllowAnonymous().ExcludeFromDescription();
        var metrics = app.MapGet("/metrics", (PrometheusText text) => Results.Text(text.Write(), PrometheusText.ContentType)).ExcludeFromDescription();
        if (app.Configuration.GetValue("Metrics:Anonymous", false))
            metrics.AllowAnonymous();
        else
            metrics.RequireAuthorization(Policies.Read);
    }

    private static async Task<IResult> ReadyAsync(
        NpgsqlDataSource database, IServiceProvider services, Bucket bucket, ILogger<Bucket> log, CancellationToken cancellation)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        patience.CancelAfter(Patience);
        var answers = await Task.WhenAll(
            AskAsync("database", async () =>
            {
                await using var command = database.CreateCommand("select 1");
                await command.ExecuteNonQueryAsync(patience.Token);
            }, log),
            AskAsync("broker", () => services.GetService<FleetLink>()?.WaitForConnectionAsync(patience.Token) ?? Task.CompletedTask, log),
            AskAsync("bucket", () => bucket.ProbeAsync(patience.Token), log));
        var isReady = answers.All(a => a.Answer == "ok");
        return TypedResults.Json(
            answers.ToDictionary(a => a.Name, a => a.Answer),
            statusCode: isReady ? StatusCodes.Status200OK : StatusCodes.Status503ServiceUnavailable);
    }

    // Anyone may ask, so the reason goes into the log and only the name of what is missing into the answer.
    private static async Task<(string Name, string Answer)> AskAsync(string name, Func<Task> ask, ILogger log)
    {
        try
        {
            await ask();
            return (name, "ok");
        }
        catch (Exception e) when (e is NpgsqlException or BucketUnavailableException or OperationCanceledException or ObjectDisposedException)
        {
            if (log.IsEnabled(LogLevel.Debug))
                log.LogDebug("{Name} does not answer: {Reason}", name, e.Message);
            return (name, "no answer");
        }
    }
}
