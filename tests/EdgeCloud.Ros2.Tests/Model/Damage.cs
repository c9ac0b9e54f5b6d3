namespace EdgeCloud.Ros2.Tests.Model;

/// <summary>Damages texts and payloads.</summary>
public static class Damage
{
    private static readonly string[] Snippets =
        ["{", "}", "<", ">", "[", "]", "(", ")", ";", "::", "@", "\"", "'", "/*", "\n", "=", "<=", "---\n", "[999999999]", "sequence<", "struct ", "T0 ", "\\u", "#", "0x", "-", "MSG: pkg/X\n"];

    /// <summary>Cuts, doubles, deletes and inserts at one to four places.</summary>
    public static string Text(string text, Random random)
    {
        for (int n = random.Next(1, 5); n > 0 && text.Length > 2; n--)
        {
            int at = random.Next(text.Length);
            int length = random.Next(Math.Min(20, text.Length - at));
            text = random.Next(5) switch
            {
                0 => text[..at],
                1 => text[..at] + text[(at + length)..],
                2 => text[..at] + text.Substring(at, length) + text[at..],
                _ => text[..at] + Snippets[random.Next(Snippets.Length)] + text[at..],
            };
        }

        return text;
    }

    /// <summary>Flips, cuts, lengthens, and puts large numbers where counts may be.</summary>
    public static byte[] Payload(byte[] payload, Random random)
    {
        byte[] bytes = [.. payload];
        for (int n = random.Next(1, 5); n > 0 && bytes.Length > 0; n--)
        {
            int at = random.Next(bytes.Length);
            switch (random.Next(5))
            {
                case 0:
                    bytes = bytes[..at];
                    break;
                case 1:
                    bytes = [.. bytes, .. new byte[random.Next(8)]];
                    break;
                case 2 when at + 4 <= bytes.Length:
                    uint[] counts = [uint.MaxValue, int.MaxValue, 0x7FFFFFF0, 0x10000, 255, (uint)bytes.Length];
                    BitConverter.TryWriteBytes(bytes.AsSpan(at & ~3), counts[random.Next(counts.Length)]);
                    break;
                default:
                    bytes[at] = (byte)random.Next(256);
                    break;
            }
        }

        return bytes;
    }
}
