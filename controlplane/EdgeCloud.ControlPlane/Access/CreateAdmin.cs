using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Access;

/// <summary><c>edgecloud-controlplane create-admin --user NAME [--password-stdin]</c>: the way in when there is no user, or none that knows a password.</summary>
internal static class CreateAdmin
{
    public static async Task<int> RunAsync(WebApplication app)
    {
        var name = app.Configuration["user"];
        if (string.IsNullOrWhiteSpace(name))
            throw new ConfigurationException("create-admin needs --user NAME.");
        await CatalogueSetup.MigrateAsync(app.Services, CancellationToken.None);
        var password = ReadPassword();
        await using var scope = app.Services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<Users>().CreateAsync(
            name, password, [Roles.Administrator], mustChangePassword: false, new Actor("command line"), CancellationToken.None);
        return 0;
    }

    // From a terminal without echo, else the first line of standard input; never from the command line, which every process can read.
    private static string ReadPassword()
    {
        if (Console.IsInputRedirected)
            return Console.ReadLine() ?? throw new ConfigurationException("create-admin reads the password from standard input, which is empty.");
        Console.Error.Write("Password: ");
        var typed = new System.Text.StringBuilder();
        while (true)
        {
            var key = Console.ReadKey(intercept: true);
            if (key.Key == ConsoleKey.Enter)
                break;
            if (key.Key == ConsoleKey.Backspace)
                typed.Length = Math.Max(0, typed.Length - 1);
            else
                typed.Append(key.KeyChar);
        }
        Console.Error.WriteLine();
        return typed.ToString();
    }
}
