using System.Reflection;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Access.Webhooks;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Fleet;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.StaticAssets;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane;

/// <summary>How the control plane does, for the API and the page alike.</summary>
public static class SystemApi
{
    private static readonly DateTimeOffset StartedAt = DateTimeOffset.UtcNow;

    /// <summary>Maps the endpoint.</summary>
    public static void MapSystemApi(this IEndpointRouteBuilder api)
    {
        var system = api.MapGroup("/system").WithTags("access").RequireAuthorization(Policies.Administer);
        system.MapGet("", GetAsync).WithName("getSystem").WithSummary("Show how the control plane does");
        system.MapGet("/endpoints", ListEndpoints).WithName("listEndpoints").WithSummary("List every address there is and the policies that guard it");
    }

    // Files are for everybody and not listed.
    private static Ok<Page<EndpointView>> ListEndpoints(EndpointDataSource endpoints) => TypedResults.Ok(new Page<EndpointView>
    {
        Items = [.. endpoints.Endpoints.OfType<RouteEndpoint>()
            .Where(e => e.Metadata.GetMetadata<StaticAssetDescriptor>() is null)
            .SelectMany(e => (e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? ["GET"]).Select(method => new EndpointView(
                method,
                "/" + e.RoutePattern.RawText!.Trim('/'),
                e.Metadata.GetMetadata<IAllowAnonymous>() is null ? [.. e.Metadata.OfType<IAuthorizeData>().Select(a => a.Policy).OfType<string>().Distinct()] : [],
                e.Metadata.GetMetadata<IAllowAnonymous>() is not null || e.Metadata.GetMetadata<IAuthorizeData>() is null)))
            .DistinctBy(e => (e.Method, e.Path))
            .OrderBy(e => e.Path, StringComparer.Ordinal).ThenBy(e => e.Method, StringComparer.Ordinal)],
    });

    private static async Task<Ok<SystemView>> GetAsync(CatalogueDb db, FleetLink link, Bucket bucket, CancellationToken cancellation) =>
        TypedResults.Ok(await ViewAsync(db, link, bucket, cancellation));

    /// <summary>Asks the database.</summary>
    public static async Task<SystemView> ViewAsync(CatalogueDb db, FleetLink link, Bucket bucket, CancellationToken cancellation) => new()
    {
        Version = typeof(SystemApi).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "",
        StartedAt = StartedAt,
        BrokerConnected = link.IsConnected,
        Database = await db.Database.SqlQuery<string>($"""select 'PostgreSQL ' || current_setting('server_version') as "Value" """).SingleAsync(cancellation),
        DatabaseBytes = await db.Database.SqlQuery<long>($"""select pg_database_size(current_database()) as "Value" """).SingleAsync(cancellation),
        Bucket = bucket.Name,
        Robots = await db.Robots.LongCountAsync(cancellation),
        RobotsOnline = await db.Robots.LongCountAsync(r => r.Online, cancellation),
        Sessions = await db.Sessions.LongCountAsync(cancellation),
        // Millions are not counted for a figure on a page.
        Segments = await db.Database.SqlQuery<long>(
            $"""
            select coalesce(sum(greatest(c.reltuples, 0)), 0)::bigint as "Value"
            from pg_inherits i join pg_class c on c.oid = i.inhrelid where i.inhparent = 'segments'::regclass
            """).SingleAsync(cancellation),
        UncheckedSegments = await db.Segments.LongCountAsync(s => s.Custody == Custody.Uploaded, cancellation),
        OpenExports = await db.Exports.LongCountAsync(e => e.State == ExportState.Queued || e.State == ExportState.Running, cancellation),
        PendingDeliveries = await db.WebhookDeliveries.LongCountAsync(d => d.Status == DeliveryStatus.Pending, cancellation),
    };
}
