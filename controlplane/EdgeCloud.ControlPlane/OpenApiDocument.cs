using EdgeCloud.ControlPlane.Access;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace EdgeCloud.ControlPlane;

/// <summary>What the generated OpenAPI document cannot know by itself: title, the security scheme and where it is needed.</summary>
internal static class OpenApiDocument
{
    public static void Describe(OpenApiOptions options)
    {
        options.AddDocumentTransformer((document, _, _) =>
        {
            document.Info.Title = "EdgeCloud";
            document.Info.Version = "1";
            document.Info.Description =
                "Robots, recordings and exports. Errors are problem details (RFC 9457). Lists have a cursor: send next_cursor as cursor.";
            // The address is whatever the reader used.
            document.Servers = [];
            document.Components ??= new OpenApiComponents();
            document.Components.SecuritySchemes ??= new Dictionary<string, IOpenApiSecurityScheme>();
            document.Components.SecuritySchemes[ApiKeyAuthentication.Scheme] = new OpenApiSecurityScheme
            {
                Type = SecuritySchemeType.Http,
                Scheme = "bearer",
                Description = "An API key: POST /api/v1/login gives one.",
            };
            return Task.CompletedTask;
        });
        options.AddOperationTransformer((operation, context, _) =>
        {
            if (context.Description.ActionDescriptor.EndpointMetadata.OfType<IAllowAnonymous>().Any())
                return Task.CompletedTask;
            operation.Security = [new OpenApiSecurityRequirement
            {
                [new OpenApiSecuritySchemeReference(ApiKeyAuthentication.Scheme, context.Document)] = [],
            }];
            operation.Responses ??= [];
            operation.Responses.TryAdd("401", new OpenApiResponse { Description = "No API key, or one that does not work" });
            operation.Responses.TryAdd("403", new OpenApiResponse { Description = "The user's role does not allow it" });
            return Task.CompletedTask;
        });
    }
}
