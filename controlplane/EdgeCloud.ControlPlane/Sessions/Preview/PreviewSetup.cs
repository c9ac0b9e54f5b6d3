namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>Registers previews.</summary>
public static class PreviewSetup
{
    /// <summary>The previews' part of the container.</summary>
    public static void AddPreviews(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(PreviewSettings.Read(builder.Configuration));
        builder.Services.AddSingleton<PreviewFiles>();
        builder.Services.AddSingleton<PreviewGate>();
        builder.Services.AddSingleton<PreviewTopics>();
        builder.Services.AddSingleton<PreviewMessages>();
        builder.Services.AddSingleton<SeriesPlots>();
        builder.Services.AddSingleton<LogLines>();
        builder.Services.AddSingleton<Viewers>();
        builder.Services.AddSingleton<ExcerptMaker>();
        builder.Services.AddHostedService(services => services.GetRequiredService<ExcerptMaker>());
    }
}
