using Microsoft.AspNetCore.Authorization;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>
/// Leads whoever works with a password that somebody else chose to the page where they choose their own; no other page opens before
/// that, and the policies allow nothing else, in the API either.
/// </summary>
internal static class PasswordWall
{
    public const string Page = "/account/password";

    /// <summary>To be placed after authentication.</summary>
    public static void UsePasswordWall(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        var mustChange = context.User.HasClaim(PrincipalFactory.MustChangePassword, "true");
        var isPage = HttpMethods.IsGet(context.Request.Method) && context.GetEndpoint()?.Metadata.GetMetadata<IAuthorizeData>() is not null
            && !context.Request.Path.StartsWithSegments("/account") && !context.Request.Path.StartsWithSegments("/api");
        if (mustChange && isPage)
            context.Response.Redirect(Page);
        else
            await next(context);
    });
}
