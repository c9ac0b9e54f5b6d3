using EdgeCloud.Contracts.Api;

namespace EdgeCloud.ControlPlane;

/// <summary>What all of <c>/api/v1</c> shares: JSON, problem details, the OpenAPI document. The feature folders map their own endpoints.</summary>
internal static class Api
{
    public const string Root = "/api/v1";

    public static void AddApi(this IHostApplicationBuilder builder)
    {
        builder.Services.AddProblemDetails();
        builder.Services.AddExceptionHandler<ApiErrors>();
        builder.Services.Configure<RouteHandlerOptions>(routes => routes.ThrowOnBadRequest = true);
        builder.Services.AddOpenApi("v1", OpenApiDocument.Describe);
        builder.Services.ConfigureHttpJsonOptions(json =>
        {
            json.SerializerOptions.PropertyNamingPolicy = ApiJsonContext.Default.Options.PropertyNamingPolicy;
            json.SerializerOptions.RespectNullableAnnotations = true;
            foreach (var converter in ApiJsonContext.Default.Options.Converters)
                json.SerializerOptions.Converters.Add(converter);
            json.SerializerOptions.TypeInfoResolverChain.Insert(0, ApiJsonContext.Default);
        });
    }

    /// <summary>Errors below <see cref="Root"/>, and of what else answers programs, are problem details, whatever went wrong.</summary>
    public static void UseApiErrors(this WebApplication app) =>
        app.UseWhen(context => context.Request.Path.StartsWithSegments("/api") || context.GetEndpoint()?.Metadata.GetMetadata<ProblemAnswers>() is not null, api =>
        {
            api.UseExceptionHandler();
            api.UseStatusCodePages();
        });

    /// <summary>Repeated requests and entity tags; after authentication, since requests are told apart by who makes them.</summary>
    public static void UseApiConventions(this WebApplication app) =>
        app.UseWhen(context => context.Request.Path.StartsWithSegments(Root), api =>
        {
            api.UseMiddleware<EntityTags>();
            api.UseMiddleware<IdempotentRequests>();
        });

    public static RouteGroupBuilder MapApi(this WebApplication app)
    {
        app.MapOpenApi("/openapi/{documentName}.json").AllowAnonymous();
        return app.MapGroup(Root);
    }
}

/// <summary>Marks endpoints outside of the API whose errors a script reads.</summary>
internal sealed class ProblemAnswers;
