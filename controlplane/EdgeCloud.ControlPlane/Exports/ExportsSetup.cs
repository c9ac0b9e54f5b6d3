using EdgeCloud.ControlPlane.Catalogue;
using Npgsql;
using Quartz;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Registers exports: the queue, for whoever takes requests, and the making of them, for workers.</summary>
public static class ExportsSetup
{
    private const string Scheduler = "scheduler";

    /// <summary>Taking requests.</summary>
    /// <exception cref="ConfigurationException">A key of the section <c>Exports</c> is wrong.</exception>
    public static void AddExports(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(ExportPolicy.Read(builder.Configuration));
        builder.Services.AddSingleton<ExportEstimates>();
        builder.Services.AddSingleton<ExportQueue>();
        builder.Services.AddSingleton<RecipeBook>();
    }

    /// <summary>Making exports, together with every other worker on the same catalogue.</summary>
    /// <exception cref="ConfigurationException">A key of the section <c>Exports</c> is wrong.</exception>
    public static void AddExportWorker(this IHostApplicationBuilder builder)
    {
        var settings = WorkerSettings.Read(builder.Configuration);
        builder.Services.AddSingleton(settings);
        builder.Services.AddSingleton<ExportMetrics>();
        builder.Services.AddSingleton<SpillFolder>();
        builder.Services.AddSingleton<PartClaims>();
        builder.Services.AddSingleton<PartEnds>();
        builder.Services.AddSingleton<UploadCompletion>();
        builder.Services.AddSingleton<PartWork>();
        builder.Services.AddSingleton<PartRunner>();
        // The scheduler's transactions take milliseconds under a lock that all workers need: one that stands still, as a suspended or cut off
        // worker's does, must not hold up the others.
        builder.Services.AddKeyedSingleton(Scheduler, (services, _) =>
            CatalogueSetup.OpenDataSource(services.GetRequiredService<IConfiguration>(), Scheduler, patience: TimeSpan.FromSeconds(10)));
        builder.Services.AddQuartz(quartz =>
        {
            quartz.ConfigureScheduler(scheduler =>
            {
                scheduler.InstanceName = "exports";
                scheduler.IdleWaitTime = TimeSpan.FromSeconds(1);
                scheduler.MaxBatchSize = 1;
                scheduler.ShutdownJobInterruption = ShutdownJobInterruption.Always;
            });
            // One more for the sweep, which must not wait for parts.
            quartz.UseDefaultThreadPool(settings.PartsAtOnce + 1);
            quartz.UseExecutionLimits(limits => limits.ForGroup(ExportDispatch.Group, settings.PartsAtOnce));
            quartz.UsePersistentStore(store =>
            {
                store.UsePostgres(source => source.DataSourceFactory = services => services.GetRequiredKeyedService<NpgsqlDataSource>(Scheduler));
                store.ConfigureStore(options => options.TablePrefix = "quartz.qrtz_");
                store.UseClustering(cluster =>
                {
                    cluster.CheckinInterval = settings.Checkin;
                    cluster.CheckinMisfireThreshold = settings.Checkin + TimeSpan.FromSeconds(1);
                });
            });
        });
        builder.Services.AddQuartzHostedService(hosted => hosted.WaitForJobsToComplete = true);
        builder.Services.AddHostedService<ExportDispatch>();
    }
}
