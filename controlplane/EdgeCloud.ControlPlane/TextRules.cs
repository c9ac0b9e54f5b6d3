using System.Text;

namespace EdgeCloud.ControlPlane;

/// <summary>What texts of people may be, before they are stored. They are stored as they are and escaped where they are shown.</summary>
internal static class TextRules
{
    /// <summary>Longest name of anything.</summary>
    public const int MaxName = 100;
    /// <summary>Longest note or description.</summary>
    public const int MaxText = 10_000;

    /// <summary>A name: one line, 1 to <see cref="MaxName"/> characters after its ends were trimmed.</summary>
    /// <exception cref="RequestException">It is something else.</exception>
    public static string Name(string field, string? text)
    {
        var name = text?.Trim() ?? "";
        return name.Length is > 0 and <= MaxName && !HasControl(name)
            ? name
            : throw RequestException.Invalid(field, $"1 to {MaxName} characters on one line");
    }

    /// <summary>A text of several lines, at most <see cref="MaxText"/> characters.</summary>
    /// <exception cref="RequestException">It is something else.</exception>
    public static string Text(string field, string? text, bool required = false)
    {
        var trimmed = text?.Trim() ?? "";
        if (trimmed.Length > MaxText || (required && trimmed.Length == 0))
            throw RequestException.Invalid(field, $"{(required ? 1 : 0)} to {MaxText} characters");
        return trimmed.EnumerateRunes().Any(r => r.Value < ' ' && r.Value is not ('\n' or '\r' or '\t'))
            ? throw RequestException.Invalid(field, "text without control characters")
            : trimmed;
    }

    /// <summary>A tag: 1 to 64 characters on one line without slash and comma, which addresses and lists of tags need for themselves.</summary>
    /// <exception cref="RequestException">It is something else.</exception>
    public static string Tag(string? text)
    {
        var tag = text?.Trim() ?? "";
        return tag.Length is > 0 and <= 64 && !HasControl(tag) && !tag.AsSpan().ContainsAny('/', ',')
            ? tag
            : throw RequestException.Invalid("tag", "1 to 64 characters on one line, without slash and comma");
    }

    private static bool HasControl(string text) => text.EnumerateRunes().Any(Rune.IsControl);
}
