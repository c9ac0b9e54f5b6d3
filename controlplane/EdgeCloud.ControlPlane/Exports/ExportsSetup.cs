namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Registers exports: the queue and the worker.</summary>
public static class ExportsSetup
{
    /// <summary>The exports' part of the container.</summary>
    public static void AddExports(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<ExportSignal>();
        builder.Services.AddSingleton<ExportQueue>();
        builder.Services.AddHostedService<ExportWorker>();
    }
}
