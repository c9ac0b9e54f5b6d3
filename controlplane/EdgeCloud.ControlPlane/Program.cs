using System.Runtime;
using EdgeCloud.ControlPlane;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Access.Webhooks;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Exports;
using EdgeCloud.ControlPlane.Fleet;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.ControlPlane.Sessions.Preview;
using EdgeCloud.ControlPlane.Shell;

// edgecloud-controlplane [run] [--role all|web|worker] [--urls URL] [--Section:Key=value ...]
// edgecloud-controlplane migrate
// edgecloud-controlplane reindex
// edgecloud-controlplane create-admin --user NAME [--password-stdin]
// edgecloud-controlplane seed [--robots N] [--sessions N] [--segments N] [--days N]
var (verb, rest) = args is [var first, ..] && !first.StartsWith('-') ? (first, args[1..]) : ("run", args);
try
{
    // From wherever it is started: a build and a published copy have appsettings.json beside them, a published copy wwwroot too.
    var builder = WebApplication.CreateBuilder(new WebApplicationOptions
    {
        Args = rest,
        ContentRootPath = AppContext.BaseDirectory,
    });
    builder.AddCatalogue();
    builder.AddAccess();
    var role = ProcessRoles.Of(rest);
    if (verb == "run")
    {
        builder.AddBucket();
        builder.AddExports();
        builder.AddHealth();
    }
    if (verb == "run" && role != ProcessRole.Web)
        builder.AddExportWorker();
    if (verb == "run" && role != ProcessRole.Worker)
    {
        builder.AddFleet();
        builder.AddSessions();
        builder.AddPreviews();
        builder.AddWebhooks();
        builder.AddApi();
        builder.AddPortal();
    }
    else if (verb == "reindex")
    {
        builder.AddBucket();
        builder.AddCustody();
    }

    await using var app = builder.Build();
    return verb switch
    {
        "run" when role == ProcessRole.Worker => await RunWorkerAsync(app),
        "run" => await RunAsync(app),
        "migrate" => await MigrateAsync(app),
        "reindex" => await ReindexAsync(app),
        "create-admin" => await CreateAdmin.RunAsync(app),
        "seed" => await Seed.RunAsync(app),
        _ => throw new ConfigurationException($"There is no command '{verb}'; use run, migrate, reindex, create-admin or seed."),
    };
}
catch (ConfigurationException e)
{
    await Console.Error.WriteLineAsync($"edgecloud-controlplane: {e.Message}");
    return 2;
}
catch (BucketUnavailableException e)
{
    await Console.Error.WriteLineAsync($"edgecloud-controlplane: {e.Message}");
    return 1;
}

static async Task<int> RunAsync(WebApplication app)
{
    await StartUp.PrepareAsync(app);
    app.UseTrustedProxies();
    app.UseSecurityHeaders();
    app.UsePageErrors();
    app.UseApiErrors();
    app.UseAuthentication();
    app.UseRateLimiter();
    app.UsePasswordWall();
    app.UseAuthorization();
    app.UseApiConventions();

    app.MapHealth();
    app.MapAccess();
    var api = app.MapApi();
    api.MapAccessApi();
    api.MapAccountApi();
    api.MapUsersApi();
    api.MapWebhooksApi();
    api.MapSystemApi();
    api.MapFleetApi();
    api.MapSessionsApi();
    api.MapAnnotationsApi();
    api.MapSavedViewsApi();
    api.MapPreviewApi();
    api.MapExportsApi();
    api.MapRecipesApi();
    app.UsePortal();

    await app.RunAsync();
    return 0;
}

static async Task<int> RunWorkerAsync(WebApplication app)
{
    // Nobody waits for a worker's pauses, and a full collection that runs beside the work lets the heap grow while it does.
    GCSettings.LatencyMode = GCLatencyMode.Batch;
    await StartUp.PrepareAsync(app, withUsers: false);
    app.UseAuthentication();
    app.UseAuthorization();
    app.MapHealth();
    await app.RunAsync();
    return 0;
}

static async Task<int> MigrateAsync(WebApplication app)
{
    await CatalogueSetup.MigrateAsync(app.Services, CancellationToken.None);
    return 0;
}

static async Task<int> ReindexAsync(WebApplication app)
{
    await CatalogueSetup.MigrateAsync(app.Services, CancellationToken.None);
    return await app.Services.GetRequiredService<Reindex>().RunAsync(CancellationToken.None);
}
