using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Exports.Pages;
using EdgeCloud.ControlPlane.Fleet.Pages;
using EdgeCloud.ControlPlane.Sessions.Pages;
using EdgeCloud.ControlPlane.Sessions.Preview;
using Microsoft.AspNetCore.Components.Authorization;
using Radzen;

namespace EdgeCloud.ControlPlane.Shell;

/// <summary>The portal: Blazor Server pages with Radzen, static files, security headers.</summary>
public static class PortalRegistration
{
    /// <summary>The portal's part of the container.</summary>
    public static void AddPortal(this WebApplicationBuilder builder)
    {
        // Also outside Development: a build that was not published finds its static files through the manifest beside it.
        builder.WebHost.UseStaticWebAssets();
        // The first message of a circuit brings what the page was made of; 32 KiB, the default, do not hold a day of figures.
        builder.Services.AddRazorComponents().AddInteractiveServerComponents()
            .AddHubOptions(hub => hub.MaximumReceiveMessageSize = 2 * LivePage<object>.MaxKeptBytes);
        builder.Services.AddRadzenComponents();
        builder.Services.AddCascadingAuthenticationState();
        builder.Services.AddScoped<AuthenticationStateProvider, CircuitAuthentication>();
        builder.Services.AddScoped<SignedIn>();
        builder.Services.AddScoped<RobotControls>();
        builder.Services.AddScoped<SessionControls>();
        builder.Services.AddSingleton<StorageWatch>();
        builder.Services.AddHostedService(services => services.GetRequiredService<StorageWatch>());
    }

    /// <summary>
    /// Who asks for an address where nothing is gets a page that says so. Before the API's own errors, which already have a body when they
    /// come by here. Not in a branch: a branch of the pipeline could not route to the page.
    /// </summary>
    public static void UsePageErrors(this WebApplication app) =>
        app.UseStatusCodePagesWithReExecute("/not-found", createScopeForStatusCodePages: true);

    /// <summary>Maps static files and pages.</summary>
    public static void UsePortal(this WebApplication app)
    {
        app.UseAntiforgery();
        app.MapStaticAssets();
        app.MapExportDownload();
        app.MapPreviewPages();
        // Pages set their own frame-ancestors with the rest of the policy.
        app.MapRazorComponents<App>().AddInteractiveServerRenderMode(server => server.ContentSecurityFrameAncestorsPolicy = null);
    }
}
