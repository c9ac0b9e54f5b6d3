using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace EdgeCloud.ControlPlane.Access.Webhooks;

/// <summary>
/// Signs deliveries as the Standard Webhooks specification has it, so that its libraries verify them: headers <c>webhook-id</c>,
/// <c>webhook-timestamp</c> (seconds since the Unix epoch) and <c>webhook-signature</c>, which is <c>v1,</c> and the base64 of the
/// HMAC-SHA256 of <c>{id}.{timestamp}.{body}</c>. A secret <c>whsec_{base64}</c> stands for the bytes it encodes, any other for its text.
/// </summary>
internal static class WebhookSignature
{
    public const string SecretPrefix = "whsec_";

    public static string NewSecret() => SecretPrefix + Convert.ToBase64String(RandomNumberGenerator.GetBytes(32));

    public static string Of(string secret, string id, long timestamp, ReadOnlySpan<byte> body)
    {
        var head = Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{id}.{timestamp}."));
        byte[] signed = [.. head, .. body];
        return "v1," + Convert.ToBase64String(HMACSHA256.HashData(KeyOf(secret), signed));
    }

    private static byte[] KeyOf(string secret)
    {
        if (!secret.StartsWith(SecretPrefix, StringComparison.Ordinal))
            return Encoding.UTF8.GetBytes(secret);
        var text = secret[SecretPrefix.Length..];
        var bytes = new byte[text.Length];
        return Convert.TryFromBase64String(text, bytes, out var length) ? bytes[..length] : Encoding.UTF8.GetBytes(secret);
    }
}
