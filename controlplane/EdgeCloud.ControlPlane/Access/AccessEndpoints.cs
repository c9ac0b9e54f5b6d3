using EdgeCloud.Contracts.Api;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Mvc;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>Signing in and out, of browsers and of programs.</summary>
public static class AccessEndpoints
{
    private const int MaxNameLength = 100;

    /// <summary>
    /// What the portal's forms post to, with an antiforgery token: <c>POST /account/login</c> (fields <c>user</c>, <c>password</c>,
    /// <c>returnUrl</c>) goes on to <c>returnUrl</c>, or back to <c>/login?failed=1</c>; <c>POST /account/logout</c> ends at
    /// <c>/login</c>.
    /// </summary>
    public static void MapAccess(this IEndpointRouteBuilder app)
    {
        app.MapPost("/account/login", SignInAsync)
            .AllowAnonymous().RequireRateLimiting(AccessSetup.LoginRateLimit).ExcludeFromDescription();
        app.MapOidc();
        app.MapPost("/account/logout", SignOutAsync).RequireAuthorization().ExcludeFromDescription();
    }

    /// <summary>The API's part.</summary>
    public static void MapAccessApi(this IEndpointRouteBuilder api)
    {
        api.MapPost("/login", CreateKeyAsync)
            .AllowAnonymous().RequireRateLimiting(AccessSetup.LoginRateLimit)
            .WithName("login").WithTags("access").WithSummary("Exchange user and password for an API key").WithMetadata(NotKept.Instance)
            .Produces<LoginResponse>().ProducesValidationProblem().ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status403Forbidden).ProducesProblem(StatusCodes.Status429TooManyRequests);
        api.MapPost("/password", ChangePasswordAsync)
            .AllowAnonymous().RequireRateLimiting(AccessSetup.LoginRateLimit)
            .WithName("changePassword").WithTags("access").WithSummary("Replace a user's password by another").WithMetadata(NotKept.Instance)
            .Produces(StatusCodes.Status204NoContent).ProducesValidationProblem().ProducesProblem(StatusCodes.Status401Unauthorized)
            .ProducesProblem(StatusCodes.Status429TooManyRequests);
    }

    private static async Task<RedirectHttpResult> SignInAsync(
        [FromForm] string? user, [FromForm] string? password, [FromForm] string? returnUrl, Login login, HttpContext context)
    {
        var goOn = IsLocal(returnUrl) ? returnUrl! : "/";
        var isIn = await login.SignInAsync(user ?? "", password ?? "", Address(context), context.RequestAborted);
        return TypedResults.LocalRedirect(isIn ? goOn : $"/login?failed=1&returnUrl={Uri.EscapeDataString(goOn)}");
    }

    private static async Task<RedirectHttpResult> SignOutAsync([FromForm] string? returnUrl, SignInManager<User> signIn)
    {
        await signIn.SignOutAsync();
        return TypedResults.LocalRedirect(IsLocal(returnUrl) ? returnUrl! : "/login");
    }

    private static async Task<IResult> CreateKeyAsync(LoginRequest request, Login login, HttpContext context)
    {
        if (request.KeyName.Length is 0 or > MaxNameLength)
            throw RequestException.Invalid("key_name", $"1 to {MaxNameLength} characters");
        if (request.ExpiresInDays is < 1 or > KeyRing.MaxDays)
            throw RequestException.Invalid("expires_in_days", $"1 to {KeyRing.MaxDays}");
        var response = await login.CreateKeyAsync(request, Address(context), context.RequestAborted);
        return response is null
            ? TypedResults.Problem(Login.Refusal, statusCode: StatusCodes.Status401Unauthorized)
            : TypedResults.Ok(response);
    }

    private static async Task<IResult> ChangePasswordAsync(PasswordChange request, Login login, HttpContext context) =>
        await login.ChangePasswordAsync(request.User, request.Password, request.NewPassword, Address(context), context.RequestAborted)
            ? TypedResults.NoContent()
            : TypedResults.Problem(Login.Refusal, statusCode: StatusCodes.Status401Unauthorized);

    // "/x" is this site; "//x" and "/\x" are others.
    internal static bool IsLocal(string? url) => url is ['/'] or ['/', not ('/' or '\\'), ..];

    internal static string Address(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "";
}
