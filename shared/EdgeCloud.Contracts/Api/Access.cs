namespace EdgeCloud.Contracts.Api;

/// <summary><c>POST /api/v1/login</c>: a user's name and password for an API key.</summary>
public sealed record LoginRequest
{
    /// <summary>User name.</summary>
    public required string User { get; init; }
    /// <summary>Password.</summary>
    public required string Password { get; init; }
    /// <summary>What the key is called in the list of keys, such as the machine's name.</summary>
    public string KeyName { get; set; } = "cli";
    /// <summary>What the key may be used for, as in <see cref="KeyRequest.Scopes"/>; null means all.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }
    /// <summary>After how many days it stops working, 1 to 366.</summary>
    public int ExpiresInDays { get; set; } = 90;
}

/// <summary>The key, shown this once, to be sent as <c>Authorization: Bearer {token}</c>.</summary>
public sealed record LoginResponse
{
    /// <summary>The secret.</summary>
    public required string Token { get; init; }
    /// <summary>User it acts for.</summary>
    public required string User { get; init; }
    /// <summary>Roles it has.</summary>
    public required IReadOnlyList<string> Roles { get; init; }
    /// <summary>When it stops working.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>One page of a list in a stable order.</summary>
public sealed record Page<T>
{
    /// <summary>The rows.</summary>
    public required IReadOnlyList<T> Items { get; init; }
    /// <summary>Send as <c>cursor</c> to get the next page; null when this is the last.</summary>
    public string? NextCursor { get; init; }
}
