using System.Globalization;
using System.Security.Claims;
using System.Threading.RateLimiting;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Identity;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>Who may do what: users, roles and policies, the portal's cookie, the API's keys, login with lockout and rate limit.</summary>
public static class AccessSetup
{
    /// <summary>The rate limit of everything that tries a password.</summary>
    public const string LoginRateLimit = "login";

    private const string ByPath = "edgecloud";

    /// <summary>Access's part of the container.</summary>
    public static void AddAccess(this IHostApplicationBuilder builder)
    {
        builder.Services
            .AddIdentityCore<User>(identity =>
            {
                identity.Password.RequiredLength = 12;
                // Length is what makes a password strong; rules about characters make people write it down.
                identity.Password.RequireDigit = false;
                identity.Password.RequireLowercase = false;
                identity.Password.RequireUppercase = false;
                identity.Password.RequireNonAlphanumeric = false;
                identity.Lockout.MaxFailedAccessAttempts = 10;
                identity.Lockout.DefaultLockoutTimeSpan = TimeSpan.FromMinutes(5);
            })
            .AddRoles<IdentityRole<Guid>>()
            .AddEntityFrameworkStores<CatalogueDb>()
            .AddClaimsPrincipalFactory<PrincipalFactory>()
            .AddSignInManager();
        AddSchemes(builder.Services, OidcSettings.Read(builder.Configuration));
        builder.Services.AddAuthorizationBuilder()
            .AddPolicy(Policies.Read, policy => Require(policy, Scopes.Read, Roles.All))
            .AddPolicy(Policies.Account, policy => Require(policy, Scopes.Account, Roles.All))
            .AddPolicy(Policies.Annotate, policy => Require(policy, Scopes.Annotate, Roles.DataScientist, Roles.Operator, Roles.Administrator))
            .AddPolicy(Policies.Export, policy => Require(policy, Scopes.Export, Roles.DataScientist, Roles.Operator, Roles.Administrator))
            .AddPolicy(Policies.Command, policy => Require(policy, Scopes.Command, Roles.Operator, Roles.Administrator))
            .AddPolicy(Policies.Delete, policy => Require(policy, Scopes.Delete, Roles.Operator, Roles.Administrator))
            .AddPolicy(Policies.Administer, policy => Require(policy, Scopes.Administer, Roles.Administrator));
        builder.Services.AddAntiforgery(antiforgery =>
        {
            antiforgery.Cookie.Name = "edgecloud-form";
            antiforgery.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
        AddRateLimits(
            builder.Services,
            builder.Configuration.Number("Access:LoginsPerMinute", 20, 1, 100_000),
            builder.Configuration.Number("Api:RequestsPerMinute", 3000, 1, 10_000_000));
        // What a changed role or password means for a browser that is signed in takes effect within this time.
        builder.Services.Configure<SecurityStampValidatorOptions>(stamp => stamp.ValidationInterval = TimeSpan.FromMinutes(1));
        builder.Services.AddScoped<Login>();
        builder.Services.AddScoped<Users>();
        builder.Services.AddScoped<UserBook>();
        builder.Services.AddSingleton<KeyRing>();
    }

    // A role, a key's scope if it is a key, and a password of one's own.
    private static void Require(AuthorizationPolicyBuilder policy, string scope, params string[] roles) => policy
        .RequireRole(roles)
        .RequireAssertion(context => Scopes.Allow(context.User, scope))
        .RequireAssertion(context => !context.User.HasClaim(PrincipalFactory.MustChangePassword, "true"));

    private static void AddSchemes(IServiceCollection services, OidcSettings? oidc)
    {
        services
            .AddAuthentication(ByPath)
            // The API is used with keys alone: a browser's cookie cannot be made to act there from another site.
            .AddPolicyScheme(ByPath, null, scheme => scheme.ForwardDefaultSelector = context =>
                context.Request.Path.StartsWithSegments("/api") || context.Request.Path.StartsWithSegments("/metrics")
                    ? ApiKeyAuthentication.Scheme
                    : IdentityConstants.ApplicationScheme)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyAuthentication>(ApiKeyAuthentication.Scheme, null)
            .AddCookie(IdentityConstants.ApplicationScheme, cookie =>
            {
                cookie.Cookie.Name = "edgecloud";
                cookie.Cookie.HttpOnly = true;
                cookie.Cookie.SameSite = SameSiteMode.Lax;
                cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
                cookie.LoginPath = "/login";
                cookie.AccessDeniedPath = "/denied";
                cookie.ReturnUrlParameter = "returnUrl";
                cookie.ExpireTimeSpan = TimeSpan.FromHours(12);
                cookie.SlidingExpiration = true;
                cookie.Events.OnValidatePrincipal = SecurityStampValidator.ValidatePrincipalAsync;
            })
            .AddOidc(oidc);
    }

    private static void AddRateLimits(IServiceCollection services, int loginsPerMinute, int requestsPerMinute) =>
        services.AddRateLimiter(limiter =>
        {
            limiter.RejectionStatusCode = StatusCodes.Status429TooManyRequests;
            limiter.AddPolicy(LoginRateLimit, context => PerMinute(AddressOf(context), loginsPerMinute));
            // By key, so that a program that runs wild leaves the others alone; by address for whoever has none.
            limiter.GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context =>
                context.Request.Path.StartsWithSegments(Api.Root)
                    ? PerMinute(context.User.FindFirstValue(ApiKeyAuthentication.KeyIdClaim) ?? AddressOf(context), requestsPerMinute)
                    : RateLimitPartition.GetNoLimiter(""));
            limiter.OnRejected = async (rejected, _) =>
            {
                var wait = rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var time) ? Math.Max(1, (int)Math.Ceiling(time.TotalSeconds)) : 60;
                rejected.HttpContext.Response.Headers.RetryAfter = wait.ToString(CultureInfo.InvariantCulture);
                await Problems.WriteAsync(rejected.HttpContext, StatusCodes.Status429TooManyRequests, $"Too many requests; try again in {wait} s.");
            };
        });

    private static RateLimitPartition<string> PerMinute(string who, int permits) => RateLimitPartition.GetFixedWindowLimiter(
        who, _ => new FixedWindowRateLimiterOptions { PermitLimit = permits, Window = TimeSpan.FromMinutes(1) });

    private static string AddressOf(HttpContext context) => context.Connection.RemoteIpAddress?.ToString() ?? "";
}
