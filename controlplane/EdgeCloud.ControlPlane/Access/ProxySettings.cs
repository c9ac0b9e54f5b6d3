using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.HttpOverrides;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>
/// What a proxy in front changes: <c>Access:TrustedProxies</c> lists networks whose <c>X-Forwarded-For</c> and <c>X-Forwarded-Proto</c>
/// are believed, so that limits, the audit log and cookies go by the visitor's address and by https.
/// </summary>
internal static class ProxySettings
{
    public static void UseTrustedProxies(this WebApplication app)
    {
        var text = app.Configuration["Access:TrustedProxies"] ?? "";
        var words = text.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        if (words.Length == 0)
            return;
        var options = new ForwardedHeadersOptions { ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var word in words)
        {
            options.KnownIPNetworks.Add(System.Net.IPNetwork.TryParse(word, out var network)
                ? network
                : throw new ConfigurationException($"Access:TrustedProxies holds '{word}'; it is a list of networks such as 10.1.0.0/16."));
        }
        app.UseForwardedHeaders(options);
    }
}
