using System.CommandLine;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud keys list|create|revoke</c>.</summary>
internal static class KeysCommand
{
    public static Command Create() => new("keys", "Your API keys") { CreateList(), CreateCreate(), CreateRevoke() };

    private static Command CreateList() => Lists.Create(
        "list", "Your keys, newest first", [], _ => "keys", ApiJsonContext.Default.PageKeyView, Output.Json.KeyView, Columns, Cells);

    internal static readonly string[] Columns = ["KEY", "NAME", "BEGINS WITH", "FOR", "UNTIL", "LAST USED", "WITHDRAWN"];

    internal static string[] Cells(KeyView k) =>
        [k.Id.ToString(), k.Name, k.Prefix, string.Join(' ', k.Scopes), Output.Time(k.ExpiresAt), Output.Time(k.LastUsedAt), Output.Time(k.RevokedAt)];

    private static Command CreateCreate()
    {
        var name = new Argument<string>("name") { Description = "What the key is called" };
        var scopes = new Option<string[]>("--scope") { Description = "What it is for: read, annotate, export, command, delete, account, administer (default: all)", AllowMultipleArgumentsPerToken = true };
        var days = new Option<int>("--days") { Description = "After how many days it stops working, 1 to 366", DefaultValueFactory = _ => 90 };
        var json = Output.JsonOption();
        var command = new Command("create", "Make a key; it is printed once and kept nowhere") { name, scopes, days, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var request = new KeyRequest
            {
                Name = parsed.GetValue(name)!,
                Scopes = parsed.GetValue(scopes) is { Length: > 0 } given ? given : null,
                ExpiresInDays = parsed.GetValue(days),
            };
            var key = await api.PostAsync("keys", request, ApiJsonContext.Default.KeyRequest, ApiJsonContext.Default.KeyView, cancellation);
            if (parsed.GetValue(json))
                Output.WriteJson(key, Output.Json.KeyView);
            else
                Console.WriteLine(key.Token);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateRevoke()
    {
        var id = Ids.Argument("key", "Key id");
        var command = new Command("revoke", "Withdraw a key; whatever uses it is refused from then on") { id };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            await api.DeleteAsync($"keys/{parsed.GetValue(id)}", cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }
}

/// <summary><c>edgecloud users list|show|create|set-roles|disable|enable|reset-password|keys|revoke-key|delete</c>.</summary>
internal static class UsersCommand
{
    public static Command Create() => new("users", "Users, for administrators")
    {
        CreateList(),
        CreateShow(),
        CreateCreate(),
        CreateSetRoles(),
        Change("disable", "Keep a user from signing in", new UserChange { Disabled = true }),
        Change("enable", "Let a user sign in again, also after too many wrong passwords", new UserChange { Disabled = false }),
        CreateReset(),
        CreateKeys(),
        CreateRevokeKey(),
        CreateDelete(),
    };

    private static Argument<string> UserArgument() => new("user") { Description = "User name" };

    private static Argument<string[]> RolesArgument() => new("roles") { Description = "viewer, data-scientist, operator, administrator", Arity = ArgumentArity.OneOrMore };

    private static Command CreateList() => Lists.Create(
        "list", "Users by name", [], _ => "users", ApiJsonContext.Default.PageUserView, Output.Json.UserView, Columns, Cells);

    private static readonly string[] Columns = ["USER", "ROLES", "STATE", "SIGN-IN", "KEYS", "MADE"];

    private static string[] Cells(UserView u) =>
        [u.User, string.Join(' ', u.Roles), u.Disabled ? "disabled" : u.MustChangePassword ? "password to be replaced" : "active",
         u.External ? "identity provider" : "password", Output.Count(u.Keys), Output.Time(u.CreatedAt)];

    private static Command CreateCreate()
    {
        var (user, roles) = (UserArgument(), RolesArgument());
        var command = new Command("create", "Make a user; the first password is printed once and has to be replaced") { user, roles };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var made = await api.PostAsync(
                "users", new UserRequest { User = parsed.GetValue(user)!, Roles = parsed.GetValue(roles)! },
                ApiJsonContext.Default.UserRequest, ApiJsonContext.Default.NewPasswordView, cancellation);
            Console.WriteLine(made.Password);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateSetRoles()
    {
        var (user, roles) = (UserArgument(), RolesArgument());
        var command = new Command("set-roles", "Give a user other roles") { user, roles };
        command.SetAction((parsed, cancellation) => ChangeAsync(parsed.GetValue(user)!, new UserChange { Roles = parsed.GetValue(roles) }, cancellation));
        return command;
    }

    private static Command Change(string name, string description, UserChange change)
    {
        var user = UserArgument();
        var command = new Command(name, description) { user };
        command.SetAction((parsed, cancellation) => ChangeAsync(parsed.GetValue(user)!, change, cancellation));
        return command;
    }

    private static Command CreateShow()
    {
        var user = UserArgument();
        var json = Output.JsonOption();
        var command = new Command("show", "One user") { user, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var view = await api.GetAsync($"users/{await FindAsync(api, parsed.GetValue(user)!, cancellation)}", ApiJsonContext.Default.UserView, cancellation);
            if (parsed.GetValue(json))
                Output.WriteJson(view, Output.Json.UserView);
            else
                Output.WriteTable(Lists.Table(Columns, [Cells(view)]));
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateKeys()
    {
        var user = UserArgument();
        var command = new Command("keys", "A user's API keys, newest first") { user };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var id = await FindAsync(api, parsed.GetValue(user)!, cancellation);
            var table = Output.NewTable(KeysCommand.Columns);
            await foreach (var key in api.ListAsync($"users/{id}/keys", ApiJsonContext.Default.PageKeyView, int.MaxValue, cancellation))
                table.Add(KeysCommand.Cells(key));
            Output.WriteTable(table);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateRevokeKey()
    {
        var (user, key) = (UserArgument(), Ids.Argument("key", "Key id"));
        var command = new Command("revoke-key", "Withdraw a user's API key; whatever uses it is refused from then on") { user, key };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            await api.DeleteAsync($"users/{await FindAsync(api, parsed.GetValue(user)!, cancellation)}/keys/{parsed.GetValue(key)}", cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateReset()
    {
        var user = UserArgument();
        var command = new Command("reset-password", "Give a user a new first password, which is printed once and has to be replaced") { user };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var id = await FindAsync(api, parsed.GetValue(user)!, cancellation);
            Console.WriteLine((await api.PostAsync($"users/{id}/password", ApiJsonContext.Default.NewPasswordView, cancellation)).Password);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Command CreateDelete()
    {
        var user = UserArgument();
        var command = new Command("delete", "Delete a user with keys and views") { user };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            await api.DeleteAsync($"users/{await FindAsync(api, parsed.GetValue(user)!, cancellation)}", cancellation);
            return ExitCodes.Ok;
        });
        return command;
    }

    private static async Task<int> ChangeAsync(string user, UserChange change, CancellationToken cancellation)
    {
        using var api = ApiClient.OfUser();
        var id = await FindAsync(api, user, cancellation);
        await api.ChangeAsync(HttpMethod.Patch, $"users/{id}", change, ApiJsonContext.Default.UserChange, ApiJsonContext.Default.UserView, cancellation);
        return ExitCodes.Ok;
    }

    private static async Task<Guid> FindAsync(ApiClient api, string name, CancellationToken cancellation)
    {
        await foreach (var user in api.ListAsync("users", ApiJsonContext.Default.PageUserView, int.MaxValue, cancellation))
        {
            if (user.User.Equals(name, StringComparison.OrdinalIgnoreCase))
                return user.Id;
        }
        throw new CliException($"There is no user '{name}'.");
    }
}

/// <summary><c>edgecloud audit</c>.</summary>
internal static class AuditCommand
{
    public static Command Create()
    {
        var actor = new Option<string?>("--actor") { Description = "Only what this one did, such as user:alice" };
        var action = new Option<string?>("--action") { Description = "Only this deed, such as command.issue" };
        var subject = new Option<string?>("--subject") { Description = "Only what was done to this, such as robot:amr-01" };
        var from = new Option<string?>("--from") { Description = "Only at or after this time, ISO 8601" };
        var to = new Option<string?>("--to") { Description = "Only before this time, ISO 8601" };
        return Lists.Create(
            "audit", "Who did what, newest first, for administrators", [actor, action, subject, from, to],
            parsed => "audit" + Lists.Query(
                ("actor", parsed.GetValue(actor)), ("action", parsed.GetValue(action)), ("subject", parsed.GetValue(subject)),
                ("from", parsed.GetValue(from)), ("to", parsed.GetValue(to))),
            ApiJsonContext.Default.PageAuditView, Output.Json.AuditView, ["AT", "WHO", "DID WHAT", "TO WHAT", "DETAIL", "FROM"],
            a => [Output.Time(a.At), a.Actor, a.Action, a.Subject, a.Detail, a.Address]);
    }
}
