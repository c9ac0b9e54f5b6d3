namespace EdgeCloud.Contracts.Api;

/// <summary><c>POST /api/v1/webhooks</c> and <c>PUT</c> of one.</summary>
public sealed record WebhookRequest
{
    /// <summary>Its name, which no other webhook has.</summary>
    public required string Name { get; init; }
    /// <summary>Where deliveries are posted to, http or https.</summary>
    public required string Url { get; init; }
    /// <summary>What it is told of, such as <c>export.finished</c>; one or more.</summary>
    public required IReadOnlyList<string> Events { get; init; }
    /// <summary>False while nothing is to be queued for it.</summary>
    public bool Enabled { get; set; } = true;
    /// <summary>What deliveries are signed with, 16 to 200 characters; null to have one made, or to keep it.</summary>
    public string? Secret { get; init; }
}

/// <summary>A webhook.</summary>
public sealed record WebhookView
{
    /// <summary>Webhook id.</summary>
    public required Guid Id { get; init; }
    /// <summary>Its name.</summary>
    public required string Name { get; init; }
    /// <summary>Where deliveries are posted to.</summary>
    public required string Url { get; init; }
    /// <summary>What it is told of.</summary>
    public required IReadOnlyList<string> Events { get; init; }
    /// <summary>False while nothing is queued for it.</summary>
    public required bool Enabled { get; init; }
    /// <summary>What deliveries are signed with; shown once, when it was made or replaced, null otherwise.</summary>
    public string? Secret { get; init; }
    /// <summary>Who made it.</summary>
    public required string CreatedBy { get; init; }
    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When it was last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; init; }
}

/// <summary>One event on its way to one webhook: <c>GET /api/v1/webhooks/{id}/deliveries</c>.</summary>
public sealed record DeliveryView
{
    /// <summary>Delivery id, as the receiver sees it.</summary>
    public required Guid Id { get; init; }
    /// <summary>What happened.</summary>
    public required string Event { get; init; }
    /// <summary>To what, such as <c>robot:amr-01</c>.</summary>
    public required string Subject { get; init; }
    /// <summary>When it happened.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary><c>pending</c>, <c>delivered</c> or <c>failed</c>.</summary>
    public required string Status { get; init; }
    /// <summary>Attempts so far.</summary>
    public required int Attempts { get; init; }
    /// <summary>When it is tried next; null when it is over.</summary>
    public DateTimeOffset? NextAttemptAt { get; init; }
    /// <summary>When it was last tried; null before.</summary>
    public DateTimeOffset? LastAttemptAt { get; init; }
    /// <summary>HTTP status of the last answer; null when there was none.</summary>
    public int? ResponseStatus { get; init; }
    /// <summary>Why the last attempt failed; empty otherwise.</summary>
    public string Error { get; set; } = "";
}
