using System.ComponentModel;
using System.Globalization;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Mvc;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>The query string of the list of sessions, and of the page's address: the words of a <see cref="SessionSearch"/>.</summary>
public sealed record SessionQuery
{
    /// <summary>Robot id.</summary>
    [FromQuery(Name = "robot"), Description("Robot id")] public string? Robot { get; init; }
    /// <summary>Went on at or after.</summary>
    [FromQuery(Name = "from"), Description("Went on at or after this time, ISO 8601")] public string? From { get; init; }
    /// <summary>Began before.</summary>
    [FromQuery(Name = "to"), Description("Began before this time, ISO 8601")] public string? To { get; init; }
    /// <summary>Tags.</summary>
    [FromQuery(Name = "tag"), Description("Has this tag; repeat for several, all are demanded")] public string[]? Tag { get; init; }
    /// <summary>Topic.</summary>
    [FromQuery(Name = "topic"), Description("Holds this topic; * stands for anything")] public string? Topic { get; init; }
    /// <summary>Type.</summary>
    [FromQuery(Name = "type"), Description("Holds a topic of this type; * stands for anything")] public string? Type { get; init; }
    /// <summary>States.</summary>
    [FromQuery(Name = "state"), Description("Is in this state; repeat for several, one suffices")] public string[]? State { get; init; }
    /// <summary>Losses.</summary>
    [FromQuery(Name = "loss"), Description("1 for sessions that lost messages")] public string? Loss { get; init; }
    /// <summary>Free text.</summary>
    [FromQuery(Name = "q"), Description("Words that all occur in id, robot, name, tags or notes")] public string? Q { get; init; }
    /// <summary>Deleted ones.</summary>
    [FromQuery(Name = "deleted"), Description("1 for deleted sessions that can be restored, instead of those that are there")] public string? Deleted { get; init; }
    /// <summary>Order.</summary>
    [FromQuery(Name = "sort"), Description("newest (default), oldest or most_lost")] public string? Sort { get; init; }

    /// <summary>The search.</summary>
    /// <exception cref="RequestException">A word is not one of those allowed.</exception>
    public SessionSearch Read() => new()
    {
        Robot = Robot ?? "",
        From = Time("from", From),
        To = Time("to", To),
        Tags = Tag ?? [],
        Topic = Topic ?? "",
        Type = Type ?? "",
        States = [.. (State ?? []).Select(word => Word<SessionState>("state", word))],
        Lossy = Flag("loss", Loss),
        Text = (Q ?? "").Length <= 500 ? Q ?? "" : throw RequestException.Invalid("q", "at most 500 characters"),
        Deleted = Flag("deleted", Deleted),
        Order = Sort is null ? SessionOrder.Newest : Word<SessionOrder>("sort", Sort),
    };

    private static bool Flag(string field, string? word) => word switch
    {
        null or "" or "0" or "false" => false,
        "1" or "true" => true,
        _ => throw RequestException.Invalid(field, "0 or 1"),
    };

    private static DateTimeOffset? Time(string field, string? text) =>
        string.IsNullOrEmpty(text) ? null
        : DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time) ? time
        : throw RequestException.Invalid(field, "a time such as 2026-03-01T08:00:00Z");

    private static T Word<T>(string field, string word) where T : struct, Enum
    {
        foreach (var value in Enum.GetValues<T>())
        {
            if (SnakeCaseNames.Of(value.ToString()) == word)
                return value;
        }
        throw RequestException.Invalid(field, "one of " + string.Join(", ", Enum.GetNames<T>().Select(SnakeCaseNames.Of)));
    }
}
