using System.Globalization;
using Microsoft.Net.Http.Headers;

namespace EdgeCloud.ControlPlane;

/// <summary>
/// Versions of what can be changed, as ETags: <c>"7"</c> is the seventh version. A change may name the version that it is about
/// (<c>If-Match</c>) and is refused with 412 when there is a newer one.
/// </summary>
internal static class Versions
{
    /// <summary>Sets the answer's ETag.</summary>
    public static void Show(HttpContext context, int version) => context.Response.Headers.ETag = Tag(version);

    /// <summary>Refuses a change that is about another version than the present one. Without <c>If-Match</c> the last change wins.</summary>
    /// <exception cref="RequestException">It is.</exception>
    public static void Require(HttpContext context, int version)
    {
        var wanted = context.Request.GetTypedHeaders().IfMatch;
        if (wanted.Count == 0 || wanted.Any(t => t.Equals(EntityTagHeaderValue.Any) || t.Tag == Tag(version)))
            return;
        throw RequestException.Changed($"It was changed meanwhile: its ETag is {Tag(version)} and not {string.Join(", ", wanted.Select(t => t.Tag))}. Get it again.");
    }

    private static string Tag(int version) => string.Create(CultureInfo.InvariantCulture, $"\"{version}\"");
}
