using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.ControlPlane.Tests.Access;

/// <summary>A small OpenID Connect provider: authorisation code flow with PKCE, RS256, whoever is set as <see cref="Visitor"/> is signed in.</summary>
internal sealed class IdentityProvider : IAsyncDisposable
{
    public const string ClientId = "edgecloud";
    public const string ClientSecret = "a secret of the tests";

    private readonly WebApplication _app;
    private readonly RSA _key = RSA.Create(2048);
    private readonly RSA _otherKey = RSA.Create(2048);
    private readonly ConcurrentDictionary<string, (string Nonce, string Challenge)> _codes = new();

    private IdentityProvider(WebApplication app) => _app = app;

    /// <summary>Claims of whoever comes.</summary>
    public Dictionary<string, object> Visitor { get; set; } = [];

    /// <summary>Signs with a key that is not published.</summary>
    public bool Forges { get; set; }

    public string Address { get; private set; } = "";

    public static async Task<IdentityProvider> StartAsync()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        var provider = new IdentityProvider(builder.Build());
        provider.Map();
        await provider._app.StartAsync();
        provider.Address = provider._app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        return provider;
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();

    private void Map()
    {
        _app.MapGet("/.well-known/openid-configuration", () => Results.Json(new Dictionary<string, object>
        {
            ["issuer"] = Address,
            ["authorization_endpoint"] = $"{Address}/authorize",
            ["token_endpoint"] = $"{Address}/token",
            ["userinfo_endpoint"] = $"{Address}/userinfo",
            ["jwks_uri"] = $"{Address}/jwks",
            ["response_types_supported"] = new[] { "code" },
            ["id_token_signing_alg_values_supported"] = new[] { "RS256" },
            ["subject_types_supported"] = new[] { "public" },
        }));
        _app.MapGet("/jwks", () =>
        {
            var key = _key.ExportParameters(false);
            return Results.Json(new { keys = new[] { new { kty = "RSA", use = "sig", alg = "RS256", kid = "1", n = Base64Url.EncodeToString(key.Modulus), e = Base64Url.EncodeToString(key.Exponent) } } });
        });
        _app.MapGet("/authorize", (HttpRequest request) =>
        {
            Assert.Equal(ClientId, request.Query["client_id"]);
            Assert.Equal("S256", request.Query["code_challenge_method"]);
            var code = Guid.NewGuid().ToString("N");
            _codes[code] = (request.Query["nonce"].ToString(), request.Query["code_challenge"].ToString());
            return Results.Redirect($"{request.Query["redirect_uri"]}?code={code}&state={Uri.EscapeDataString(request.Query["state"].ToString())}");
        });
        _app.MapPost("/token", async (HttpRequest request) =>
        {
            var form = await request.ReadFormAsync();
            var isKnown = _codes.TryRemove(form["code"].ToString(), out var asked);
            var verifier = Base64Url.EncodeToString(SHA256.HashData(Encoding.ASCII.GetBytes(form["code_verifier"].ToString())));
            return isKnown && form["client_secret"] == ClientSecret && verifier == asked.Challenge
                ? Results.Json(new { access_token = "a", token_type = "Bearer", expires_in = 60, id_token = Token(asked.Nonce) })
                : Results.BadRequest(new { error = "invalid_grant" });
        });
        _app.MapGet("/userinfo", () => Results.Json(Visitor));
    }

    private string Token(string nonce)
    {
        var now = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        var claims = new Dictionary<string, object>(Visitor) { ["iss"] = Address, ["aud"] = ClientId, ["iat"] = now, ["exp"] = now + 60, ["nonce"] = nonce };
        var content = $"{Part(new { alg = "RS256", kid = "1", typ = "JWT" })}.{Part(claims)}";
        var signature = (Forges ? _otherKey : _key).SignData(Encoding.ASCII.GetBytes(content), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        return $"{content}.{Base64Url.EncodeToString(signature)}";
    }

    private static string Part<T>(T value) => Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes(value));
}
