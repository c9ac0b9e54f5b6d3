using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>Registers recordings: announcements and the check of what was uploaded.</summary>
public static class SessionsSetup
{
    /// <summary>The recordings' part of the container.</summary>
    public static void AddSessions(this IHostApplicationBuilder builder)
    {
        builder.AddCustody();
        builder.Services.AddSingleton<Tagging>();
        builder.Services.AddSingleton<Notes>();
        builder.Services.AddSingleton<Events>();
        builder.Services.AddSingleton<ViewBook>();
        builder.Services.AddSingleton<SessionDeletion>();
        builder.Services.AddHostedService<SegmentVerification>();
        builder.Services.AddHostedService<SessionPurge>();
    }

    /// <summary>What decides custody, without what listens to robots.</summary>
    /// <exception cref="ConfigurationException">A key of the section <c>Custody</c> is wrong.</exception>
    public static void AddCustody(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(CustodySettings.Read(builder.Configuration));
        builder.Services.AddSingleton<SegmentChecks>();
        builder.Services.AddSingleton<Announcements>();
        builder.Services.AddSingleton<ObjectCheck>();
        builder.Services.AddSingleton<CertificateCheck>();
        builder.Services.AddSingleton(Console.Out);
        builder.Services.AddSingleton<Reindex>();
    }
}
