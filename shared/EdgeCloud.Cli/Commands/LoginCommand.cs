using System.CommandLine;
using System.Text;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud login URL</c>: trades user and password for a key and keeps it.</summary>
internal static class LoginCommand
{
    public static Command Create()
    {
        var url = new Argument<string>("url")
        {
            Description = "Address of the control plane, such as http://127.0.0.1:8400 (default: EDGECLOUD_URL)",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("EDGECLOUD_URL") ?? "",
        };
        var user = new Option<string?>("--user") { Description = "User name; asked for when left out" };
        var json = Output.JsonOption();
        var command = new Command("login", "Log in; the password is asked for, or read as a line from standard input (where it has to be replaced, the new one is the next line)")
        {
            url, user, json,
        };
        command.SetAction((parsed, cancellation) => RunAsync(parsed.GetValue(url)!, parsed.GetValue(user), parsed.GetValue(json), cancellation));
        return command;
    }

    private static async Task<int> RunAsync(string address, string? user, bool json, CancellationToken cancellation)
    {
        var url = Credentials.ParseUrl(address);
        user ??= Ask("User: ");
        var password = Console.IsInputRedirected ? Console.ReadLine() ?? "" : AskHidden($"Password of {user}: ");
        using var api = new ApiClient(url);
        var request = new LoginRequest { User = user, Password = password, KeyName = $"cli on {Environment.MachineName}" };
        LoginResponse answer;
        try
        {
            answer = await api.PostAsync("login", request, ApiJsonContext.Default.LoginRequest, ApiJsonContext.Default.LoginResponse, cancellation);
        }
        catch (CliException e) when (e.IsPasswordToBeReplaced)
        {
            if (AskNew(user) is not { Length: > 0 } chosen)
                throw;
            await ReplaceAsync(api, user, password, chosen, cancellation);
            answer = await api.PostAsync("login", request with { Password = chosen }, ApiJsonContext.Default.LoginRequest, ApiJsonContext.Default.LoginResponse, cancellation);
        }
        new Credentials(url, answer.Token).Save();
        if (json)
            Output.WriteJson(answer, Output.Json.LoginResponse);
        else
            Console.WriteLine($"Logged in to {url} as {answer.User} ({string.Join(", ", answer.Roles)}) until {Output.Time(answer.ExpiresAt)}.");
        return ExitCodes.Ok;
    }

    /// <summary><c>edgecloud password URL</c>: replaces a password.</summary>
    public static Command CreatePassword()
    {
        var url = new Argument<string>("url")
        {
            Description = "Address of the control plane (default: EDGECLOUD_URL)",
            DefaultValueFactory = _ => Environment.GetEnvironmentVariable("EDGECLOUD_URL") ?? "",
        };
        var user = new Option<string?>("--user") { Description = "User name; asked for when left out" };
        var command = new Command("password", "Change a password; both are asked for, or read as two lines from standard input") { url, user };
        command.SetAction(async (parsed, cancellation) =>
        {
            var address = Credentials.ParseUrl(parsed.GetValue(url)!);
            var name = parsed.GetValue(user) ?? Ask("User: ");
            var present = Console.IsInputRedirected ? Console.ReadLine() ?? "" : AskHidden($"Password of {name}: ");
            using var api = new ApiClient(address);
            await ReplaceAsync(api, name, present, AskNew(name) ?? "", cancellation);
            Console.WriteLine($"The password of {name} is changed.");
            return ExitCodes.Ok;
        });
        return command;
    }

    private static Task ReplaceAsync(ApiClient api, string user, string present, string chosen, CancellationToken cancellation) =>
        api.PostAsync(
            "password", new PasswordChange { User = user, Password = present, NewPassword = chosen }, ApiJsonContext.Default.PasswordChange, cancellation);

    // Null when there is nobody to ask and no further line.
    private static string? AskNew(string user)
    {
        if (Console.IsInputRedirected)
            return Console.ReadLine();
        Console.Error.WriteLine($"The password of {user} is to be replaced by one of your own.");
        var chosen = AskHidden("New password: ");
        return chosen == AskHidden("New password again: ") ? chosen : throw new CliException("The two new passwords differ.", ExitCodes.Usage);
    }

    private static string Ask(string question)
    {
        if (Console.IsInputRedirected)
            throw new CliException("Say who logs in: --user NAME (the password is read from standard input).", ExitCodes.Usage);
        Console.Error.Write(question);
        return Console.ReadLine() ?? "";
    }

    private static string AskHidden(string question)
    {
        Console.Error.Write(question);
        var typed = new StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter)
                break;
            if (key.Key == ConsoleKey.Backspace)
                typed.Length = Math.Max(0, typed.Length - 1);
            else if (!char.IsControl(key.KeyChar))
                typed.Append(key.KeyChar);
        }
        Console.Error.WriteLine();
        return typed.ToString();
    }
}
