using System.Security.Claims;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Identity;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>
/// Sign-in at an OpenID Connect provider: authorisation code with PKCE. Who comes for the first time becomes a user without a password;
/// a user of that name who has a password here is somebody else until an administrator says otherwise. Where the provider knows roles,
/// it is asked at every sign-in and its word replaces what the user had.
/// </summary>
public static class OidcSignIn
{
    /// <summary>The scheme, and the provider's name in <c>user_logins</c>.</summary>
    public const string Scheme = "oidc";

    /// <summary>Registers the scheme when the section <c>Oidc</c> is there.</summary>
    public static void AddOidc(this AuthenticationBuilder authentication, OidcSettings? settings)
    {
        authentication.AddCookie(IdentityConstants.ExternalScheme, cookie =>
        {
            cookie.Cookie.Name = "edgecloud-external";
            cookie.Cookie.SameSite = SameSiteMode.Lax;
            cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            cookie.ExpireTimeSpan = TimeSpan.FromMinutes(5);
        });
        if (settings is null)
            return;
        authentication.Services.AddSingleton(settings);
        authentication.AddOpenIdConnect(Scheme, settings.Name, oidc =>
        {
            oidc.SignInScheme = IdentityConstants.ExternalScheme;
            oidc.Authority = settings.Authority.ToString();
            oidc.RequireHttpsMetadata = !settings.Authority.IsLoopback;
            oidc.ClientId = settings.ClientId;
            oidc.ClientSecret = settings.ClientSecret;
            oidc.ResponseType = OpenIdConnectResponseType.Code;
            // The answer comes as a link and not as a form of another site, so its cookies need not be open to other sites.
            oidc.ResponseMode = OpenIdConnectResponseMode.Query;
            oidc.CorrelationCookie.SameSite = oidc.NonceCookie.SameSite = SameSiteMode.Lax;
            oidc.CorrelationCookie.SecurePolicy = oidc.NonceCookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            oidc.CallbackPath = "/account/oidc/callback";
            oidc.MapInboundClaims = false;
            oidc.GetClaimsFromUserInfoEndpoint = true;
            oidc.SaveTokens = false;
            oidc.Scope.Clear();
            foreach (var scope in new[] { "openid", "profile", "email" })
                oidc.Scope.Add(scope);
            foreach (var claim in new[] { settings.UserClaim, settings.RoleClaim }.Where(c => c.Length > 0))
                oidc.ClaimActions.MapJsonKey(claim, claim);
            oidc.Events.OnRemoteFailure = context =>
            {
                context.HttpContext.RequestServices.GetRequiredService<ILogger<OidcSettings>>().LogWarning("Sign-in at the identity provider failed: {Reason}", context.Failure?.Message);
                context.Response.Redirect("/login?external=failed");
                context.HandleResponse();
                return Task.CompletedTask;
            };
        });
    }

    /// <summary>Maps <c>GET /account/oidc</c>, which leads to the provider, and where its answer is taken over.</summary>
    public static void MapOidc(this IEndpointRouteBuilder app)
    {
        if (app.ServiceProvider.GetService<OidcSettings>() is null)
            return;
        app.MapGet("/account/oidc", (string? returnUrl, SignInManager<User> signIn) =>
        {
            var here = $"/account/oidc/done?returnUrl={Uri.EscapeDataString(AccessEndpoints.IsLocal(returnUrl) ? returnUrl! : "/")}";
            return TypedResults.Challenge(signIn.ConfigureExternalAuthenticationProperties(Scheme, here), [Scheme]);
        }).AllowAnonymous().RequireRateLimiting(AccessSetup.LoginRateLimit).ExcludeFromDescription();
        app.MapGet("/account/oidc/done", DoneAsync).AllowAnonymous().RequireRateLimiting(AccessSetup.LoginRateLimit).ExcludeFromDescription();
    }

    private static async Task<RedirectHttpResult> DoneAsync(
        string? returnUrl, SignInManager<User> signIn, UserManager<User> users, OidcSettings settings, CatalogueDb db, TimeProvider clock, HttpContext context)
    {
        if (await signIn.GetExternalLoginInfoAsync() is not { } told)
            return TypedResults.LocalRedirect("/login?external=failed");
        await context.SignOutAsync(IdentityConstants.ExternalScheme);
        var name = told.Principal.FindFirstValue(settings.UserClaim) ?? told.Principal.FindFirstValue("email") ?? told.ProviderKey;
        var user = await users.FindByLoginAsync(told.LoginProvider, told.ProviderKey);
        var roles = RolesOf(told.Principal, settings);
        var refusal =
            roles.Count == 0 && (user is null || settings.RoleClaim.Length > 0) ? "role"
            : user is not null && await users.IsLockedOutAsync(user) ? "disabled"
            : user is null && await users.FindByNameAsync(name) is not null ? "name"
            : "";
        var actor = new Actor($"user:{user?.UserName ?? (name.Length <= TextRules.MaxName ? name : name[..TextRules.MaxName])}", AccessEndpoints.Address(context));
        if (refusal.Length == 0 && user is null)
        {
            user = new User { Id = Guid.CreateVersion7(clock.GetUtcNow()), UserName = name, CreatedAt = clock.GetUtcNow() };
            if (!(await users.CreateAsync(user)).Succeeded || !(await users.AddLoginAsync(user, told)).Succeeded)
                refusal = "name";
            else
                db.Record(actor, "user.create", $"user:{name}", $"by {settings.Name}", clock.GetUtcNow());
        }
        if (refusal.Length == 0)
            await TakeOverAsync(users, user!, roles, settings.RoleClaim.Length > 0);
        db.Record(actor, refusal.Length == 0 ? "login" : "login.failed", "", refusal.Length == 0 ? $"at {settings.Name}" : $"at {settings.Name}: {refusal}", clock.GetUtcNow());
        await db.SaveChangesAsync(context.RequestAborted);
        if (refusal.Length > 0)
            return TypedResults.LocalRedirect($"/login?external={refusal}");
        await signIn.SignInAsync(user!, isPersistent: false, told.LoginProvider);
        return TypedResults.LocalRedirect(AccessEndpoints.IsLocal(returnUrl) ? returnUrl! : "/");
    }

    /// <summary>What the provider says that the user is; empty when it says nothing and there is no default.</summary>
    private static IReadOnlyList<string> RolesOf(ClaimsPrincipal told, OidcSettings settings)
    {
        var mapped = told.FindAll(settings.RoleClaim).Select(c => settings.RolesByGroup.GetValueOrDefault(c.Value)).OfType<string>().Distinct().ToList();
        return mapped.Count > 0 ? mapped : settings.DefaultRole.Length > 0 ? [settings.DefaultRole] : [];
    }

    // Without a claim for roles the default is only a beginning: what an administrator made of it stays.
    private static async Task TakeOverAsync(UserManager<User> users, User user, IReadOnlyList<string> roles, bool isProvidersWord)
    {
        var had = await users.GetRolesAsync(user);
        if (had.Order().SequenceEqual(roles.Order()) || (had.Count > 0 && !isProvidersWord))
            return;
        await users.RemoveFromRolesAsync(user, had.Except(roles));
        await users.AddToRolesAsync(user, roles.Except(had));
    }
}
