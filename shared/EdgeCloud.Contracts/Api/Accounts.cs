namespace EdgeCloud.Contracts.Api;

/// <summary><c>POST /api/v1/password</c>: replaces a password by its user's own, also one that somebody else chose.</summary>
public sealed record PasswordChange
{
    /// <summary>User name.</summary>
    public required string User { get; init; }
    /// <summary>Present password.</summary>
    public required string Password { get; init; }
    /// <summary>New password, at least 12 characters.</summary>
    public required string NewPassword { get; init; }
}

/// <summary><c>GET /api/v1/me</c>.</summary>
public sealed record MeView
{
    /// <summary>User name.</summary>
    public required string User { get; init; }
    /// <summary>Roles.</summary>
    public required IReadOnlyList<string> Roles { get; init; }
    /// <summary>The key's name.</summary>
    public required string Key { get; init; }
    /// <summary>What the key may be used for, as far as the roles allow it.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }
}

/// <summary><c>POST /api/v1/keys</c>.</summary>
public sealed record KeyRequest
{
    /// <summary>What the key is called in lists.</summary>
    public required string Name { get; init; }
    /// <summary>What it may be used for: <c>read</c>, <c>annotate</c>, <c>export</c>, <c>command</c>, <c>delete</c>, <c>account</c>, <c>administer</c>; null means all.</summary>
    public IReadOnlyList<string>? Scopes { get; init; }
    /// <summary>After how many days it stops working, 1 to 366.</summary>
    public int ExpiresInDays { get; set; } = 90;
}

/// <summary>An API key without its secret.</summary>
public sealed record KeyView
{
    /// <summary>Key id.</summary>
    public required Guid Id { get; init; }
    /// <summary>What its user calls it.</summary>
    public required string Name { get; init; }
    /// <summary>The first characters of the secret.</summary>
    public required string Prefix { get; init; }
    /// <summary>The secret; shown once, when the key was made, null otherwise.</summary>
    public string? Token { get; init; }
    /// <summary>What it may be used for.</summary>
    public required IReadOnlyList<string> Scopes { get; init; }
    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When it stops working.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
    /// <summary>When it was last used, to a minute; null when never.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }
    /// <summary>When it was withdrawn; null when it was not.</summary>
    public DateTimeOffset? RevokedAt { get; init; }
}

/// <summary><c>POST /api/v1/users</c>.</summary>
public sealed record UserRequest
{
    /// <summary>User name.</summary>
    public required string User { get; init; }
    /// <summary>Roles, one or more: <c>viewer</c>, <c>data-scientist</c>, <c>operator</c>, <c>administrator</c>.</summary>
    public required IReadOnlyList<string> Roles { get; init; }
}

/// <summary><c>PATCH /api/v1/users/{id}</c>; what is left out stays.</summary>
public sealed record UserChange
{
    /// <summary>Roles, instead of those that the user has.</summary>
    public IReadOnlyList<string>? Roles { get; init; }
    /// <summary>True to keep the user from signing in, false to let them, also after too many wrong passwords.</summary>
    public bool? Disabled { get; init; }
}

/// <summary>A user.</summary>
public sealed record UserView
{
    /// <summary>User id.</summary>
    public required Guid Id { get; init; }
    /// <summary>User name.</summary>
    public required string User { get; init; }
    /// <summary>Roles.</summary>
    public required IReadOnlyList<string> Roles { get; init; }
    /// <summary>True while an administrator keeps the user from signing in.</summary>
    public required bool Disabled { get; init; }
    /// <summary>True until the password that somebody else chose is replaced.</summary>
    public required bool MustChangePassword { get; init; }
    /// <summary>True when the user signs in at an identity provider.</summary>
    public required bool External { get; init; }
    /// <summary>API keys that were not withdrawn.</summary>
    public required int Keys { get; init; }
    /// <summary>When the user was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A password of the system's choice, shown once; it has to be replaced at the first login.</summary>
public sealed record NewPasswordView
{
    /// <summary>User id.</summary>
    public required Guid Id { get; init; }
    /// <summary>User name.</summary>
    public required string User { get; init; }
    /// <summary>The password.</summary>
    public required string Password { get; init; }
}

/// <summary>Something that somebody did, or tried to: <c>GET /api/v1/audit</c>.</summary>
public sealed record AuditView
{
    /// <summary>Number of the entry.</summary>
    public required long Id { get; init; }
    /// <summary>When.</summary>
    public required DateTimeOffset At { get; init; }
    /// <summary>Who: <c>user:alice</c>, <c>key:alice/ci</c>, or the name that was tried at a failed login.</summary>
    public required string Actor { get; init; }
    /// <summary>What, such as <c>command.issue</c>.</summary>
    public required string Action { get; init; }
    /// <summary>To what, such as <c>robot:amr-01</c>; empty when there is nothing.</summary>
    public string Subject { get; set; } = "";
    /// <summary>The rest in one line.</summary>
    public string Detail { get; set; } = "";
    /// <summary>From which network address; empty when it was not a request.</summary>
    public string Address { get; set; } = "";
}

/// <summary>How the control plane does: <c>GET /api/v1/system</c>.</summary>
public sealed record SystemView
{
    /// <summary>Version of the control plane.</summary>
    public required string Version { get; init; }
    /// <summary>Since when this replica runs.</summary>
    public required DateTimeOffset StartedAt { get; init; }
    /// <summary>True while the MQTT connection stands.</summary>
    public required bool BrokerConnected { get; init; }
    /// <summary>Version of the database server.</summary>
    public required string Database { get; init; }
    /// <summary>Size of the catalogue.</summary>
    public required long DatabaseBytes { get; init; }
    /// <summary>Bucket of recordings and exports.</summary>
    public required string Bucket { get; init; }
    /// <summary>Robots.</summary>
    public required long Robots { get; init; }
    /// <summary>Robots whose connection stands.</summary>
    public required long RobotsOnline { get; init; }
    /// <summary>Sessions, deleted ones excluded.</summary>
    public required long Sessions { get; init; }
    /// <summary>Segments, as PostgreSQL estimates.</summary>
    public required long Segments { get; init; }
    /// <summary>Uploaded segments whose objects wait for their check.</summary>
    public required long UncheckedSegments { get; init; }
    /// <summary>Exports that wait or run.</summary>
    public required long OpenExports { get; init; }
    /// <summary>Webhook deliveries that wait.</summary>
    public required long PendingDeliveries { get; init; }
}

/// <summary>An address of the control plane: <c>GET /api/v1/system/endpoints</c>.</summary>
/// <param name="Method">HTTP method.</param>
/// <param name="Path">Path, with what varies in braces.</param>
/// <param name="Policies">Policies that all have to allow it.</param>
/// <param name="Open">True when it is there for everybody.</param>
public sealed record EndpointView(string Method, string Path, IReadOnlyList<string> Policies, bool Open);
