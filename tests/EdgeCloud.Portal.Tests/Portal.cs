using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

namespace EdgeCloud.Portal.Tests;

/// <summary>
/// The whole of EdgeCloud with one simulated robot, a user in each role, and a Chromium to look at it with. Shared by all browser tests,
/// which therefore run one after the other.
/// </summary>
public sealed class Portal : IAsyncLifetime
{
    /// <summary>The robot.</summary>
    public const string Robot = "amr-01";
    /// <summary>Password of every user but the first administrator.</summary>
    public const string Password = "twelve or more characters";
    /// <summary>When a step ends at the latest, ms.</summary>
    public const int PatienceMs = 60_000;

    private const string ChromiumPath = "/usr/bin/chromium";

    private TcpRelay? _storageLink;
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Servers and processes.</summary>
    public EdgeCloudSystem System { get; } = new();

    /// <summary>Address of the portal.</summary>
    public string Url => System.ControlPlane.Address;

    /// <summary>The robot's way to the storage.</summary>
    public TcpRelay StorageLink => _storageLink!;

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(ChromiumPath))
            return;
        await System.InitializeAsync();
        await MakeUsersAsync();
        _storageLink = new TcpRelay(new Uri(System.S3.Endpoint).Port);
        await System.StartAgentAsync(Robot, "{ kind: simulated, seed: 1 }", "recording: { segment_seconds: 5 }",
            new Dictionary<string, string> { ["EDGECLOUD_S3__ENDPOINT"] = $"http://127.0.0.1:{StorageLink.Port}" });
        await System.Api.WaitForRobotAsync(Robot, _ => true, "connects");
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = ChromiumPath,
            Args = [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                "--disable-component-update", "--disable-sync",
            ],
        });
        Assertions.SetDefaultExpectTimeout(PatienceMs);
    }

    /// <summary>A browser without cookies, in which nobody is signed in. Skips the test where there is no Chromium.</summary>
    public async Task<Visit> VisitAsync(string theme = "light", int width = 1280, int height = 800, string? address = null)
    {
        if (_browser is null)
            Assert.Skip($"{ChromiumPath} is missing; install Debian's package chromium.");
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = address ?? Url,
            ColorScheme = theme == "dark" ? ColorScheme.Dark : ColorScheme.Light,
            ViewportSize = new ViewportSize { Width = width, Height = height },
            TimezoneId = "Europe/Berlin",
            AcceptDownloads = true,
            Permissions = ["clipboard-read", "clipboard-write"],
        });
        context.SetDefaultTimeout(PatienceMs);
        return new Visit(context, await context.NewPageAsync());
    }

    /// <summary>A browser in which a user of a role is signed in, looking at <paramref name="path"/>.</summary>
    public async Task<Visit> VisitAsAsync(
        string role, string path, string theme = "light", int width = 1280, int height = 800, string? address = null)
    {
        var visit = await VisitAsync(theme, width, height, address);
        await visit.Page.GotoAsync($"/login?returnUrl={Uri.EscapeDataString(path)}");
        await visit.SignInAsync(role, Password);
        await visit.WaitUntilLiveAsync();
        return visit;
    }

    /// <summary>Ends every session of the robot, so that a test finds it idle.</summary>
    public async Task MakeIdleAsync()
    {
        var robot = await System.Api.WaitForRobotAsync(Robot, _ => true, "is online");
        foreach (var session in robot.State!.Sessions.Where(s => s.State is SessionState.Recording or SessionState.Paused))
            await System.Api.CommandAsync(Robot, new CommandRequest { Command = CommandKind.Cancel, Session = session.Session });
        await System.Api.WaitForRobotAsync(Robot, s => s.Sessions.All(x => x.State is not (SessionState.Recording or SessionState.Paused)), "is idle");
    }

    /// <summary>Starts a session through the API and waits until it has recorded something; a message of every topic when asked.</summary>
    public async Task<Guid> StartSessionAsync(string name, bool everyTopic = false)
    {
        // The slowest topic has one in a second, in which there are 168 of all.
        var enough = everyTopic ? 200 : 1;
        var command = await System.Api.CommandAsync(Robot, new CommandRequest { Command = CommandKind.Start, Name = name });
        Assert.Equal(CommandStatus.Succeeded, command.Status);
        await System.Api.WaitForRobotAsync(Robot, s => s.Sessions.Any(x => x.Session == command.Session && x.Messages >= enough), "records");
        return command.Session!.Value;
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        if (_browser is null)
            return;
        await _browser.DisposeAsync();
        _playwright!.Dispose();
        await System.DisposeAsync();
        await StorageLink.DisposeAsync();
    }

    // The API makes no users; the control plane's own code does, on the same catalogue.
    private async Task MakeUsersAsync()
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Logging.ClearProviders();
        builder.Configuration[CatalogueSetup.ConnectionStringKey] = System.ControlPlane.ConnectionString;
        builder.AddCatalogue();
        builder.AddAccess();
        builder.Services.AddSingleton(TimeProvider.System);
        using var host = builder.Build();
        await using var scope = host.Services.CreateAsyncScope();
        var users = scope.ServiceProvider.GetRequiredService<Users>();
        foreach (var role in Roles.All)
            await users.CreateAsync(role, Password, [role], mustChangePassword: false, new Actor("test"), TestContext.Current.CancellationToken);
    }
}

/// <summary>The tests that share the one portal.</summary>
[CollectionDefinition(Name)]
public sealed class PortalCollection : ICollectionFixture<Portal>
{
    /// <summary>Name of the collection.</summary>
    public const string Name = "portal";
}
