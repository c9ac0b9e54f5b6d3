using System.Security.Claims;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>What a user may be.</summary>
public static class Roles
{
    /// <summary>Sees everything, changes nothing.</summary>
    public const string Viewer = "viewer";
    /// <summary>Sees everything, annotates and exports.</summary>
    public const string DataScientist = "data-scientist";
    /// <summary>Sees everything, annotates, exports, commands robots and deletes sessions.</summary>
    public const string Operator = "operator";
    /// <summary>Everything, users included.</summary>
    public const string Administrator = "administrator";

    /// <summary>Every role.</summary>
    public static readonly string[] All = [Viewer, DataScientist, Operator, Administrator];
}

/// <summary>What a key may be used for. A key can never do more than the role of its user allows.</summary>
public static class Scopes
{
    /// <summary>Look.</summary>
    public const string Read = "read";
    /// <summary>Tags, notes and events.</summary>
    public const string Annotate = "annotate";
    /// <summary>Exports and recipes.</summary>
    public const string Export = "export";
    /// <summary>Commands to robots.</summary>
    public const string Command = "command";
    /// <summary>Delete sessions.</summary>
    public const string Delete = "delete";
    /// <summary>The user's own keys and views.</summary>
    public const string Account = "account";
    /// <summary>Users, webhooks, audit log.</summary>
    public const string Administer = "administer";

    /// <summary>Every scope.</summary>
    public static readonly string[] All = [Read, Annotate, Export, Command, Delete, Account, Administer];

    /// <summary>Claim of a key's principal, one per scope.</summary>
    public const string ClaimType = "edgecloud:scope";

    /// <summary>Whether a principal may do what a scope is for: a person may whatever the role says, a key needs the scope too.</summary>
    public static bool Allow(ClaimsPrincipal principal, string scope) =>
        !principal.HasClaim(c => c.Type == Actor.KeyClaim) || principal.HasClaim(ClaimType, scope);
}

/// <summary>Names of the authorisation policies of pages and endpoints.</summary>
public static class Policies
{
    /// <summary>May look.</summary>
    public const string Read = "read";
    /// <summary>May manage their own keys and views.</summary>
    public const string Account = "account";
    /// <summary>May tag, write notes and mark events.</summary>
    public const string Annotate = "annotate";
    /// <summary>May command robots.</summary>
    public const string Command = "command";
    /// <summary>May export.</summary>
    public const string Export = "export";
    /// <summary>May delete sessions and bring them back.</summary>
    public const string Delete = "delete";
    /// <summary>May do everything.</summary>
    public const string Administer = "administer";
}
