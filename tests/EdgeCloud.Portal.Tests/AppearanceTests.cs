using System.Text.Json;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Fleet;
using EdgeCloud.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EdgeCloud.Portal.Tests;

/// <summary>Each page in both themes and at two widths: nothing sticks out, and axe finds nothing serious.</summary>
/// <remarks>With <c>EDGECLOUD_SCREENSHOTS=1</c> the pages are also written to <c>infra/screenshots</c>.</remarks>
[Collection(PortalCollection.Name)]
public sealed class AppearanceTests(Portal portal)
{
    private const string AxePackage = "axe-core@4.11.0";

    [Theory]
    [InlineData("light", 1280)]
    [InlineData("dark", 1280)]
    [InlineData("light", 820)]
    public async Task Pages_fit_their_screen_and_axe_finds_nothing_serious(string theme, int width)
    {
        var axe = await AxeAsync();
        await portal.MakeIdleAsync();
        var (session, export) = await MakeSomethingToSeeAsync();
        var webhook = await MakeWebhookAsync();
        await using var visit = await portal.VisitAsync(theme, width, 900);
        await visit.Page.GotoAsync("/login");
        await LookAsync(visit, "login", theme, width, axe);
        await visit.SignInAsync(Roles.Administrator, Portal.Password);
        await visit.WaitUntilLiveAsync();

        foreach (var (name, path, sign) in new[]
        {
            ("fleet", "/fleet", Portal.Robot),
            ("fleet-map", "/fleet?view=map", "recording or idle"),
            ("robot", $"/robots/{Portal.Robot}", "/lidar"),
            ("robot-charts", $"/robots/{Portal.Robot}?tab=charts&from=now-15m", "From message to durable"),
            ("robot-log", $"/robots/{Portal.Robot}?tab=log", "warnings and errors of the agent"),
            ("sessions", "/sessions", "warehouse round"),
            ("sessions-empty", "/sessions?robot=no-such-robot&loss=1", "No session passes these filters"),
            ("session", $"/sessions/{session}", "Loss ledger"),
            ("session-ledger", $"/sessions/{session}?panel=ledger", "what became of every message"),
            ("session-plot", $"/sessions/{session}?panel=plot&plot=/imu/data:linear_acceleration.x,/odom:twist.twist.linear.x", "Greatest"),
            ("session-image", $"/sessions/{session}?panel=image", "320 x 240 png"),
            ("session-messages", $"/sessions/{session}?panel=messages&topics=/imu/data", "linear_acceleration"),
            ("session-log", $"/sessions/{session}?panel=log", "drive: left motor"),
            ("session-gaps", $"/sessions/{session}?panel=gaps", "of the whole session"),
            ("session-notes", $"/sessions/{session}?panel=notes", "the floor was wet"),
            ("segment", $"/sessions/{session}/segments/1", "Object and hashes"),
            ("exports", "/exports", "warehouse round"),
            ("export", $"/exports/{export}", "Made of"),
            ("export-new", $"/exports/new?session={session}&format=parquet", "To be read"),
            ("keys", "/account/keys", "Name of the new key"),
            ("admin-users", "/admin/users", "Name of the new user"),
            ("admin-webhooks", "/admin/webhooks", "night watch"),
            ("admin-webhook", $"/admin/webhooks?log={webhook}", "newest first, kept for 30 days"),
            ("admin-audit", "/admin/audit", "command.issue"),
            ("admin-system", "/admin/system", "PostgreSQL"),
        })
        {
            await visit.GoAsync(path);
            await Expect(visit.Page.GetByText(sign).First).ToBeVisibleAsync();
            await LookAsync(visit, name, theme, width, axe);
        }

        await visit.GoAsync($"/robots/{Portal.Robot}");
        await visit.PressAsync("Start");
        await visit.Page.GetByRole(AriaRole.Dialog).GetByLabel("Only the chosen ones").CheckAsync();
        await LookAsync(visit, "start-dialog", theme, width, axe);
        await visit.Page.Keyboard.PressAsync("Escape");

        foreach (var (name, path) in new[] { ("fleet-row", "/fleet"), ("sessions-row", "/sessions") })
        {
            await visit.GoAsync(path);
            await visit.Page.Locator(".ec-row-menu summary").First.ClickAsync();
            await Expect(visit.Page.Locator(".ec-row-menu .ec-menu-body").First).ToBeInViewportAsync(new() { Ratio = 1 });
            Assert.True(await visit.Page.EvaluateAsync<bool>(
                "[...document.querySelectorAll('.ec-row-menu[open] .ec-menu-body > *')].every(e => { const b = e.getBoundingClientRect();" +
                " return e.contains(document.elementFromPoint(b.x + b.width / 2, b.y + b.height / 2)); })"), $"{name}: something lies over the menu");
            await LookAsync(visit, name, theme, width, axe);
        }
        await visit.GoAsync("/admin/users");
        await visit.Page.GetByLabel("Name of the new user").FillAsync($"new-{Guid.NewGuid():N}"[..12]);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Create user" }).ClickAsync();
        await Expect(visit.Page.GetByTestId("new-password")).ToBeVisibleAsync();
        await LookAsync(visit, "admin-user-new", theme, width, axe);
        await portal.System.Api.DeleteAsync($"webhooks/{webhook}");
        await portal.MakeIdleAsync();
    }

    private static async Task LookAsync(Visit visit, string name, string theme, int width, string axe)
    {
        var page = visit.Page;
        Assert.False(
            await page.EvaluateAsync<bool>("document.documentElement.scrollWidth > document.documentElement.clientWidth"),
            $"{name} is wider than its window of {width}");
        await ScreenshotAsync(page, name, theme, width);
        // Through the debugger, since the page's own policy forbids foreign script.
        await page.EvaluateAsync(axe);
        var found = await page.EvaluateAsync<JsonElement>(
            "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations" +
            ".filter(v => v.impact === 'serious' || v.impact === 'critical')" +
            ".map(v => `${v.id}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 160) + ' -> ' + n.failureSummary).join(' | ')}`)");
        Assert.True(found.GetArrayLength() == 0, $"{name}, {theme}, {width}: {string.Join('\n', found.EnumerateArray())}");
    }

    private static async Task ScreenshotAsync(IPage page, string name, string theme, int width)
    {
        if (Environment.GetEnvironmentVariable("EDGECLOUD_SCREENSHOTS") is not { Length: > 0 })
            return;
        var file = Repository.PathTo("infra", "screenshots", $"{name}-{theme}{(width == 1280 ? "" : $"-{width}")}.png");
        await page.ScreenshotAsync(new() { Path = file, Animations = ScreenshotAnimations.Disabled });
    }

    private static async Task<string> AxeAsync()
    {
        await NodePackages.InstallAsync([AxePackage]);
        return await File.ReadAllTextAsync(Repository.PathTo(".local", "npm", "node_modules", "axe-core", "axe.min.js"), TestContext.Current.CancellationToken);
    }

    private async Task<Guid> MakeWebhookAsync()
    {
        var api = portal.System.Api;
        var request = new WebhookRequest { Name = $"night watch {Guid.NewGuid():N}"[..20], Url = "https://hooks.invalid/a/rather/long/path/of/somebody/who/wants/to/be/told", Events = ["robot.offline", "robot.alarm", "loss.reported"] };
        var made = await api.PostAsync("webhooks", request, ApiJsonContext.Default.WebhookRequest, ApiJsonContext.Default.WebhookView);
        await api.PostAsync($"webhooks/{made.Id}/test", ApiJsonContext.Default.DeliveryView);
        return made.Id;
    }

    private async Task<(Guid Session, Guid Export)> MakeSomethingToSeeAsync()
    {
        var api = portal.System.Api;
        var session = await portal.StartSessionAsync("warehouse round", everyTopic: true);
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Pause, Session = session });
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Resume, Session = session });
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Finish, Session = session });
        await api.WaitForSessionAsync(session, s => s.State == SessionState.Finished, "is finished");
        await api.PostAsync($"sessions/{session}/notes", new NoteRequest { Text = "Second aisle: the floor was wet." }, ApiJsonContext.Default.NoteRequest, ApiJsonContext.Default.NoteView);
        await api.PostAsync("events", new EventRequest { Session = session, TimeNs = UnixTime.ToNanoseconds((await api.WaitForSessionAsync(session, _ => true, "is known")).StartedAt) + 1_500_000_000, Kind = "near-miss", Text = "A fork lift came around the corner." },
            ApiJsonContext.Default.EventRequest, ApiJsonContext.Default.EventView);
        var export = await api.PostAsync(
            "exports", new ExportRequest { Sessions = [session] }, ApiJsonContext.Default.ExportRequest, ApiJsonContext.Default.ExportView);
        await Eventually.Holds(
            async () => (await api.GetAsync($"exports/{export.Id}", ApiJsonContext.Default.ExportView)).State == ExportState.Succeeded,
            TimeSpan.FromMilliseconds(Portal.PatienceMs), "the export is ready");
        await portal.StartSessionAsync("goes on");
        return (session, export.Id);
    }
}
