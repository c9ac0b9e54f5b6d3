namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>Registers recordings: announcements and the check of what was uploaded.</summary>
public static class SessionsSetup
{
    /// <summary>The recordings' part of the container.</summary>
    public static void AddSessions(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SegmentChecks>();
        builder.Services.AddSingleton<Announcements>();
        builder.Services.AddSingleton<Tagging>();
        builder.Services.AddSingleton<Notes>();
        builder.Services.AddSingleton<Events>();
        builder.Services.AddSingleton<SessionDeletion>();
        builder.Services.AddHostedService<SegmentVerification>();
    }
}
