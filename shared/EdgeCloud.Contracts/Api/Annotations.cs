namespace EdgeCloud.Contracts.Api;

/// <summary>The tags of a robot or session: answer to <c>PUT</c> and <c>DELETE</c> below <c>.../tags/{tag}</c>.</summary>
/// <param name="Tags">All of them, in order.</param>
public sealed record TagsView(IReadOnlyList<string> Tags);

/// <summary><c>POST /api/v1/sessions/{id}/notes</c> and <c>PUT</c> of one.</summary>
public sealed record NoteRequest
{
    /// <summary>The note, plain text, 1 to 10,000 characters.</summary>
    public required string Text { get; init; }
}

/// <summary>A note about a session.</summary>
public sealed record NoteView
{
    /// <summary>Note id.</summary>
    public required Guid Id { get; init; }
    /// <summary>Session.</summary>
    public required Guid Session { get; init; }
    /// <summary>Who wrote it.</summary>
    public required string Author { get; init; }
    /// <summary>When it was written.</summary>
    public required DateTimeOffset At { get; init; }
    /// <summary>When it was last changed; null when it was not.</summary>
    public DateTimeOffset? EditedAt { get; init; }
    /// <summary>The note.</summary>
    public required string Text { get; init; }
}

/// <summary><c>POST /api/v1/events</c> and <c>PUT</c> of one.</summary>
public sealed record EventRequest
{
    /// <summary>Robot; may be left out when a session is named.</summary>
    public string Robot { get; set; } = "";
    /// <summary>The only session that it belongs to; null when it belongs to every session of its moment.</summary>
    public Guid? Session { get; init; }
    /// <summary>When, ns since the Unix epoch.</summary>
    public required long TimeNs { get; init; }
    /// <summary>End of a stretch of time, ns since the Unix epoch; null for a moment.</summary>
    public long? EndNs { get; init; }
    /// <summary>A short word that marks are grouped by, such as <c>fall</c>; at most 40 characters.</summary>
    public required string Kind { get; init; }
    /// <summary>What happened, at most 10,000 characters.</summary>
    public string Text { get; set; } = "";
}

/// <summary>A mark in a robot's time.</summary>
public sealed record EventView
{
    /// <summary>Event id.</summary>
    public required Guid Id { get; init; }
    /// <summary>Robot.</summary>
    public required string Robot { get; init; }
    /// <summary>The only session that it belongs to; null when it belongs to every session of its moment.</summary>
    public Guid? Session { get; init; }
    /// <summary>When, ns since the Unix epoch.</summary>
    public required long TimeNs { get; init; }
    /// <summary>End, ns since the Unix epoch; null for a moment.</summary>
    public long? EndNs { get; init; }
    /// <summary>Its kind.</summary>
    public required string Kind { get; init; }
    /// <summary>What happened.</summary>
    public string Text { get; set; } = "";
    /// <summary>Who says so: a user, a key or a robot.</summary>
    public required string Author { get; init; }
    /// <summary>When the catalogue heard of it.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A topic and its type, to choose among: <c>GET /api/v1/topics</c>.</summary>
/// <param name="Name">Topic name.</param>
/// <param name="Type">Type name; empty when unknown.</param>
public sealed record TopicName(string Name, string Type);

/// <summary><c>POST /api/v1/views</c> and <c>PUT</c> of one.</summary>
public sealed record SavedViewRequest
{
    /// <summary>The page: <c>fleet</c>, <c>sessions</c> or <c>exports</c>.</summary>
    public required string Page { get; init; }
    /// <summary>Its name.</summary>
    public required string Name { get; init; }
    /// <summary>The page's query string without the question mark.</summary>
    public string Query { get; set; } = "";
    /// <summary>True when everybody is to see it.</summary>
    public bool Shared { get; init; }
}

/// <summary>A list page kept under a name.</summary>
public sealed record SavedViewView
{
    /// <summary>View id.</summary>
    public required Guid Id { get; init; }
    /// <summary>The page.</summary>
    public required string Page { get; init; }
    /// <summary>Its name.</summary>
    public required string Name { get; init; }
    /// <summary>The page's query string without the question mark.</summary>
    public string Query { get; set; } = "";
    /// <summary>True when everybody sees it.</summary>
    public bool Shared { get; init; }
    /// <summary>Whose it is.</summary>
    public required string Owner { get; init; }
    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary><c>POST /api/v1/recipes</c> and <c>PUT</c> of one.</summary>
public sealed record RecipeRequest
{
    /// <summary>Its name, which no other recipe has.</summary>
    public required string Name { get; init; }
    /// <summary>What to export; its sessions are not kept.</summary>
    public required ExportRequest Request { get; init; }
}

/// <summary>A request for an export kept under a name.</summary>
public sealed record RecipeView
{
    /// <summary>Recipe id.</summary>
    public required Guid Id { get; init; }
    /// <summary>Its name.</summary>
    public required string Name { get; init; }
    /// <summary>What it exports; without sessions.</summary>
    public required ExportRequest Request { get; init; }
    /// <summary>Who made it.</summary>
    public required string Owner { get; init; }
    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When it was last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}
