using System.Buffers.Text;
using System.Globalization;
using System.Text;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.ControlPlane;

/// <summary>
/// Lists are read in pages by key, never by offset: a cursor is the key of the last row seen, so that rows that come and go between two
/// pages neither repeat nor hide others.
/// </summary>
internal static class Paging
{
    public const int DefaultLimit = 100;
    public const int MaxLimit = 1000;

    /// <exception cref="RequestException">It is out of bounds.</exception>
    public static int Limit(int? asked) =>
        asked is null ? DefaultLimit
        : asked is >= 1 and <= MaxLimit ? asked.Value
        : throw RequestException.Invalid("limit", $"1 to {MaxLimit}");

    /// <summary>A page of at most <paramref name="limit"/> rows, made of a query for one row more than that.</summary>
    public static Page<T> Of<T>(IReadOnlyList<T> rows, int limit, Func<T, string> cursor) => rows.Count <= limit
        ? new Page<T> { Items = rows }
        : new Page<T> { Items = [.. rows.Take(limit)], NextCursor = cursor(rows[limit - 1]) };

    public static string Cursor(string key) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(key));

    public static string Cursor(DateTimeOffset at, Guid id) => Cursor(string.Create(CultureInfo.InvariantCulture, $"{at.UtcTicks}.{id:N}"));

    public static string Cursor(long number, Guid id) => Cursor(string.Create(CultureInfo.InvariantCulture, $"{number}.{id:N}"));

    /// <exception cref="RequestException">It is not a cursor that this list gave.</exception>
    public static (long Number, Guid Id) ReadNumberAndId(string cursor)
    {
        var parts = ReadKey(cursor).Split('.');
        return parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && Guid.TryParseExact(parts[1], "N", out var id)
                ? (number, id)
                : throw Wrong();
    }

    /// <exception cref="RequestException">It is not a cursor that this list gave.</exception>
    public static string ReadKey(string cursor)
    {
        if (!Base64Url.IsValid(cursor))
            throw Wrong();
        return Encoding.UTF8.GetString(Base64Url.DecodeFromChars(cursor));
    }

    /// <exception cref="RequestException">It is not a cursor that this list gave.</exception>
    public static (DateTimeOffset At, Guid Id) ReadTimeAndId(string cursor)
    {
        var parts = ReadKey(cursor).Split('.');
        return parts.Length == 2
            && long.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var ticks) && ticks <= DateTimeOffset.MaxValue.UtcTicks
            && Guid.TryParseExact(parts[1], "N", out var id)
                ? (new DateTimeOffset(ticks, TimeSpan.Zero), id)
                : throw Wrong();
    }

    /// <exception cref="RequestException">It is not a cursor that this list gave.</exception>
    public static int ReadNumber(string cursor) =>
        int.TryParse(ReadKey(cursor), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong();

    /// <exception cref="RequestException">It is not a cursor that this list gave.</exception>
    public static long ReadLong(string cursor) =>
        long.TryParse(ReadKey(cursor), NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : throw Wrong();

    private static RequestException Wrong() => RequestException.Invalid("cursor", "a next_cursor that this list gave, as it was");
}
