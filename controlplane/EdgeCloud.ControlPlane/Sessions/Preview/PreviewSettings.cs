using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>The section <c>Preview</c> of the configuration.</summary>
/// <param name="PrepareAcknowledged">
/// Whether excerpts are made as soon as a segment is acknowledged (<c>Preview:Prepare</c> is <c>acknowledged</c>), which reads every
/// segment once and makes the first look as fast as the next; else (<c>viewed</c>) when somebody looks.
/// </param>
/// <param name="Workers">Excerpts made at the same time (<c>Preview:Workers</c>).</param>
/// <param name="FoxgloveUrl">Where Foxglove is; <c>{url}</c> stands for the file (<c>Preview:FoxgloveUrl</c>).</param>
/// <param name="LichtblickUrl">Where Lichtblick is (<c>Preview:LichtblickUrl</c>).</param>
internal sealed record PreviewSettings(bool PrepareAcknowledged, int Workers, string FoxgloveUrl, string LichtblickUrl)
{
    /// <summary>Stands for the link to the file.</summary>
    public const string Url = "{url}";

    /// <summary>Reads and checks the section.</summary>
    /// <exception cref="ConfigurationException">A key is wrong; the message names it.</exception>
    public static PreviewSettings Read(IConfiguration configuration)
    {
        var prepare = configuration["Preview:Prepare"] is { Length: > 0 } word ? word : "acknowledged";
        if (prepare is not ("acknowledged" or "viewed"))
            throw new ConfigurationException($"Preview:Prepare is '{prepare}'; it must be acknowledged or viewed.");
        return new PreviewSettings(
            prepare == "acknowledged",
            configuration.Number("Preview:Workers", Math.Max(1, Environment.ProcessorCount / 2), 1, 64),
            Viewer(configuration, "Preview:FoxgloveUrl", "https://app.foxglove.dev/~/view?ds=remote-file&ds.url={url}"),
            Viewer(configuration, "Preview:LichtblickUrl", "https://lichtblick-suite.github.io/lichtblick/?ds=remote-file&ds.url={url}"));
    }

    private static string Viewer(IConfiguration configuration, string key, string otherwise)
    {
        var address = configuration[key] is { Length: > 0 } set ? set : otherwise;
        return Uri.TryCreate(address.Replace(Url, "x", StringComparison.Ordinal), UriKind.Absolute, out var uri)
            && uri.Scheme is "http" or "https" && address.Contains(Url, StringComparison.Ordinal)
                ? address
                : throw new ConfigurationException($"{key} is '{address}'; it must be an address with {Url} in it, such as {otherwise}.");
    }
}
