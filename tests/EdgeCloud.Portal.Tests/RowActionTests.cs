using System.Text.RegularExpressions;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EdgeCloud.Portal.Tests;

/// <summary>What can be done from a row of the fleet and of the sessions: the same, with the same questions and answers, as on their pages.</summary>
[Collection(PortalCollection.Name)]
public sealed class RowActionTests(Portal portal)
{
    [Fact]
    public async Task A_robot_is_started_synced_finished_and_tagged_from_its_row_with_the_keyboard_alone()
    {
        var name = $"from the row {Guid.NewGuid():N}";
        var tag = $"row-{Guid.NewGuid():N}"[..12];
        await portal.MakeIdleAsync();
        await using var visit = await portal.VisitAsAsync(Roles.Operator, "/fleet");
        var page = visit.Page;
        var menu = Menu(page, Portal.Robot);

        await ChooseAsync(page, Portal.Robot, "Start a session");
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Name").FillAsync(name);
        await page.Keyboard.PressAsync("Enter");
        await visit.ExpectAnswerAsync("start", "succeeded");
        await Expect(page.GetByTestId("fleet").GetByRole(AriaRole.Link, new() { Name = name })).ToBeVisibleAsync();

        await ChooseAsync(page, Portal.Robot, "Sync");
        await visit.ExpectAnswerAsync("sync", "succeeded");

        await ChooseAsync(page, Portal.Robot, $"Finish {name}");
        await visit.ExpectAnswerAsync("finish", "succeeded");
        await page.GetByRole(AriaRole.Button, new() { Name = $"Hide the answer of {Portal.Robot}" }).ClickAsync();
        await Expect(page.GetByTestId("command-progress")).ToHaveCountAsync(0);

        await ChooseAsync(page, Portal.Robot, "Tags");
        await Expect(dialog.GetByLabel("Add a tag")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync(tag);
        await page.Keyboard.PressAsync("Enter");
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = $"Remove the tag {tag}" })).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(menu).ToBeFocusedAsync();
        await page.GetByTestId("fleet").GetByRole(AriaRole.Link, new() { Name = tag }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex($@"/fleet\?tag={tag}$"));

        await portal.System.Api.DeleteAsync($"robots/{Portal.Robot}/tags/{tag}");
    }

    [Fact]
    public async Task A_menu_closes_with_escape_and_when_the_focus_leaves_it()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Operator, "/fleet");
        var (page, menu) = (visit.Page, Menu(visit.Page, Portal.Robot));
        var body = page.GetByRole(AriaRole.Group, new() { Name = $"Actions on {Portal.Robot}" });

        await menu.ClickAsync();
        await Expect(body).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await Expect(body).ToBeHiddenAsync();
        await Expect(menu).ToBeFocusedAsync();

        await menu.ClickAsync();
        await Expect(body).ToBeVisibleAsync();
        await Expect(body).ToBeInViewportAsync(new() { Ratio = 1 });
        await page.Keyboard.PressAsync("Shift+Tab");
        await Expect(body).ToBeHiddenAsync();
    }

    [Fact]
    public async Task A_session_is_tagged_exported_deleted_and_brought_back_from_its_row()
    {
        var name = $"row {Guid.NewGuid():N}";
        var session = await FinishedAsync(name);
        await using var visit = await portal.VisitAsAsync(Roles.Operator, $"/sessions?q={Uri.EscapeDataString(name)}");
        var page = visit.Page;
        var rows = page.GetByTestId("sessions").Locator("tbody tr");
        var dialog = page.GetByRole(AriaRole.Dialog);

        await ChooseAsync(page, name, "Tags");
        await Expect(dialog.GetByLabel("Add a tag")).ToBeFocusedAsync();
        await page.Keyboard.TypeAsync("by-row");
        await page.Keyboard.PressAsync("Enter");
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Remove the tag by-row" })).ToBeVisibleAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await Expect(rows.GetByRole(AriaRole.Link, new() { Name = "by-row" })).ToBeVisibleAsync();

        await ChooseAsync(page, name, "Delete");
        await Expect(dialog).ToContainTextAsync("This deletes");
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Keep it" })).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(rows).ToHaveCountAsync(1);

        await ChooseAsync(page, name, "Delete");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete session" }).ClickAsync();
        await Expect(page.GetByTestId("deleted")).ToContainTextAsync($"“{name}” deleted by");
        await Expect(rows).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo, restore it" }).ClickAsync();
        await Expect(rows).ToHaveCountAsync(1);
        await Expect(page.GetByTestId("deleted")).ToHaveCountAsync(0);

        await ChooseAsync(page, name, "Export", AriaRole.Link);
        await Expect(page).ToHaveURLAsync(new Regex($"/exports/new\\?session={session}"));
    }

    [Fact]
    public async Task A_deleted_session_is_restored_from_its_row_and_one_that_goes_on_is_not_deleted()
    {
        var name = $"gone {Guid.NewGuid():N}";
        var session = await FinishedAsync(name);
        await portal.System.Api.DeleteAsync($"sessions/{session}");
        var running = $"goes on {Guid.NewGuid():N}";
        await portal.StartSessionAsync(running);
        await using var visit = await portal.VisitAsAsync(Roles.Operator, $"/sessions?deleted=1&q={Uri.EscapeDataString(name)}");
        var page = visit.Page;

        await ChooseAsync(page, name, "Restore");
        await Expect(page.GetByText("No session passes these filters")).ToBeVisibleAsync();

        await visit.GoAsync($"/sessions?q={Uri.EscapeDataString(running)}");
        await Menu(page, running).ClickAsync();
        var delete = page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Delete") });
        await Expect(delete).ToBeDisabledAsync();
        await Expect(delete).ToHaveTextAsync("deleteDeletefinish or cancel it first");
        await portal.MakeIdleAsync();
    }

    [Fact]
    public async Task A_viewer_has_no_menu_and_a_data_scientist_what_the_role_is_for()
    {
        var name = $"looked at {Guid.NewGuid():N}";
        await FinishedAsync(name);
        var list = $"/sessions?q={Uri.EscapeDataString(name)}";
        await using var viewer = await portal.VisitAsAsync(Roles.Viewer, list);
        await Expect(viewer.Page.GetByTestId("sessions").GetByRole(AriaRole.Link, new() { Name = name })).ToBeVisibleAsync();
        await Expect(viewer.Page.Locator(".ec-row-menu")).ToHaveCountAsync(0);
        await viewer.GoAsync("/fleet");
        await Expect(viewer.Page.GetByRole(AriaRole.Link, new() { Name = Portal.Robot, Exact = true })).ToBeVisibleAsync();
        await Expect(viewer.Page.Locator(".ec-row-menu")).ToHaveCountAsync(0);

        await using var scientist = await portal.VisitAsAsync(Roles.DataScientist, list);
        await Menu(scientist.Page, name).ClickAsync();
        await Expect(Actions(scientist.Page, name)).ToHaveTextAsync(["archiveExport", "sellTags"]);
        await scientist.GoAsync("/fleet");
        await Menu(scientist.Page, Portal.Robot).ClickAsync();
        await Expect(Actions(scientist.Page, Portal.Robot)).ToHaveTextAsync(["sellTags"]);
    }

    private static ILocator Menu(IPage page, string of) => page.Locator($"summary[aria-label='Actions on {of}']");

    private static ILocator Actions(IPage page, string of) => page.GetByRole(AriaRole.Group, new() { Name = $"Actions on {of}" }).Locator("a, button");

    // As somebody without a pointer does it.
    private static async Task ChooseAsync(IPage page, string of, string action, AriaRole role = AriaRole.Button)
    {
        await Menu(page, of).FocusAsync();
        await page.Keyboard.PressAsync("Enter");
        var wanted = page.GetByRole(AriaRole.Group, new() { Name = $"Actions on {of}" }).GetByRole(role, new() { Name = action });
        await Expect(wanted).ToBeVisibleAsync();
        for (var steps = await Actions(page, of).CountAsync(); steps > 0 && !await wanted.EvaluateAsync<bool>("e => e === document.activeElement"); steps--)
            await page.Keyboard.PressAsync("Tab");
        await Expect(wanted).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("Enter");
        await Expect(wanted).ToBeHiddenAsync();
    }

    private async Task<Guid> FinishedAsync(string name)
    {
        await portal.MakeIdleAsync();
        var session = await portal.StartSessionAsync(name);
        await portal.System.Api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Finish, Session = session });
        await portal.System.Api.WaitForSessionAsync(session, s => s.State == SessionState.Finished, "is finished");
        return session;
    }
}
