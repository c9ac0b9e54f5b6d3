using System.Text.RegularExpressions;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EdgeCloud.Portal.Tests;

[Collection(PortalCollection.Name)]
public sealed class RobotTests(Portal portal)
{
    private const string Page = $"/robots/{Portal.Robot}";

    [Fact]
    public async Task The_fleet_shows_the_robot_online_and_its_figures_change_without_a_reload()
    {
        await portal.MakeIdleAsync();
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/fleet");
        var row = visit.Page.GetByRole(AriaRole.Row).Filter(new() { Has = visit.Page.GetByRole(AriaRole.Link, new() { Name = Portal.Robot, Exact = true }) });
        await Expect(row).ToContainTextAsync("idle");

        var session = await portal.StartSessionAsync("seen live");

        await Expect(row).ToContainTextAsync("recording");
        await Expect(row).ToContainTextAsync("seen live");
        await Expect(row.GetByRole(AriaRole.Cell).Nth(4)).ToHaveTextAsync(new Regex("[1-9]"));
        await Expect(row.GetByRole(AriaRole.Cell).Nth(5)).ToContainTextAsync("iB");
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "recording" }).ClickAsync();
        await Expect(visit.Page).ToHaveURLAsync(new Regex(@"/fleet\?state=recording$"));
        await Expect(row).ToBeVisibleAsync();
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "offline" }).ClickAsync();
        await Expect(visit.Page.GetByText("Every robot is online")).ToBeVisibleAsync();
        await portal.System.Api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Cancel, Session = session });
    }

    [Fact]
    public async Task A_session_that_is_to_begin_paused_records_nothing_before_resume()
    {
        await portal.MakeIdleAsync();
        await using var visit = await portal.VisitAsAsync(Roles.Operator, Page);
        await visit.PressAsync("Start");
        var dialog = visit.Page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Name").FillAsync("later");
        await dialog.GetByLabel("Begin paused").CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Start recording" }).ClickAsync();
        await visit.ExpectAnswerAsync("start", "succeeded");
        await Expect(visit.Page.GetByText("later, paused")).ToBeVisibleAsync();
        await visit.PressAsync("Resume");
        await visit.ExpectAnswerAsync("resume", "succeeded");
        await Expect(visit.Page.GetByText("later, recording")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_session_goes_from_its_start_by_button_to_a_downloaded_file_that_holds_every_message()
    {
        const string name = "<b>dock</b> & \"test\"";
        await portal.MakeIdleAsync();
        await using var visit = await portal.VisitAsAsync(Roles.Operator, Page);

        await visit.PressAsync("Start");
        var dialog = visit.Page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Name").FillAsync(name);
        await dialog.GetByLabel("Only the chosen ones").CheckAsync();
        await dialog.GetByLabel("/diagnostics").UncheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Start recording" }).ClickAsync();
        await visit.ExpectAnswerAsync("start", "succeeded");
        await Expect(visit.Page.GetByText($"{name}, recording")).ToBeVisibleAsync();
        await Expect(Button("Resume")).ToBeDisabledAsync();

        await visit.PressAsync("Pause");
        await visit.ExpectAnswerAsync("pause", "succeeded");
        await Expect(visit.Page.GetByText($"{name}, paused")).ToBeVisibleAsync();
        await Expect(Button("Pause")).ToBeDisabledAsync();

        await visit.PressAsync("Resume");
        await visit.ExpectAnswerAsync("resume", "succeeded");
        await Expect(visit.Page.GetByText($"{name}, recording")).ToBeVisibleAsync();

        await visit.PressAsync("Sync");
        await visit.ExpectAnswerAsync("sync", "succeeded");

        await visit.PressAsync("Finish");
        await visit.ExpectAnswerAsync("finish", "succeeded");
        var log = visit.Page.GetByTestId("command-log").GetByRole(AriaRole.Row);
        await Expect(log.Nth(1)).ToContainTextAsync("finish");
        await Expect(log.Nth(1)).ToContainTextAsync("succeeded");

        await visit.Page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true }).First.ClickAsync();
        await Expect(visit.Page).ToHaveURLAsync(new Regex("/sessions/[^/]+$"));
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = name, Exact = true })).ToBeVisibleAsync();
        await Expect(visit.Page.Locator(".ec-page-head")).ToContainTextAsync("finished");
        var segments = visit.Page.GetByTestId("segments").Locator("tbody tr");
        // The pause seals a segment, so there are two at least.
        await Expect(segments.Nth(1)).ToBeVisibleAsync();
        await Expect(segments.Filter(new() { HasNotTextRegex = new Regex("acknowledged|released") })).ToHaveCountAsync(0);
        var session = Guid.Parse(visit.Page.Url[(visit.Page.Url.LastIndexOf('/') + 1)..]);
        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Loss ledger" }).ClickAsync();
        await Expect(visit.Page.GetByTestId("ledger")).ToBeVisibleAsync();
        await Expect(visit.Page.GetByTestId("ledger")).Not.ToContainTextAsync("/diagnostics");

        var view = await portal.System.Api.WaitForSessionAsync(session, s => s.State == SessionState.Finished, "is finished");
        Assert.True(view.Messages > 0);
        Assert.Contains(view.Ledger!, e => e.Paused > 0);

        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Export" }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Create export" }).ClickAsync();
        await Expect(visit.Page).ToHaveURLAsync(new Regex("/exports/[0-9a-f]{8}-"));
        var link = visit.Page.GetByRole(AriaRole.Link, new() { Name = "Download" });
        await Expect(link).ToBeVisibleAsync();
        var download = await visit.Page.RunAndWaitForDownloadAsync(() => link.ClickAsync());
        using var folder = new TemporaryFolder();
        await download.SaveAsAsync(folder["export.mcap"]);

        Assert.EndsWith(".mcap", download.SuggestedFilename, StringComparison.Ordinal);
        Assert.Equal(view.Messages, await CountMessagesAsync(folder["export.mcap"]));

        ILocator Button(string text) => visit.Page.GetByRole(AriaRole.Button, new() { Name = text, Exact = true });
    }

    [Fact]
    public async Task Cancel_names_what_it_costs_keeps_when_told_so_and_discards_when_told_so()
    {
        await portal.MakeIdleAsync();
        var session = await portal.StartSessionAsync("to be cancelled");
        await using var visit = await portal.VisitAsAsync(Roles.Operator, Page);

        await visit.PressAsync("Cancel");
        var dialog = visit.Page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("This discards");
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Keep it" })).ToBeFocusedAsync();
        await visit.Page.Keyboard.PressAsync("Enter");
        await Expect(dialog).ToHaveCountAsync(0);
        await Expect(visit.Page.GetByText("to be cancelled, recording")).ToBeVisibleAsync();

        await visit.PressAsync("Cancel");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Cancel session" }).ClickAsync();
        await visit.ExpectAnswerAsync("cancel", "succeeded");

        await portal.System.Api.WaitForSessionAsync(session, s => s.State == SessionState.Cancelled, "is cancelled");
        await visit.GoAsync($"/sessions/{session}");
        await Expect(visit.Page.Locator(".ec-page-head")).ToContainTextAsync("cancelled");
    }

    [Fact]
    public async Task A_command_that_the_robot_rejects_shows_why()
    {
        await portal.MakeIdleAsync();
        var session = await portal.StartSessionAsync("rejects");
        await using var visit = await portal.VisitAsAsync(Roles.Operator, Page);
        await Expect(visit.Page.GetByText("rejects, recording")).ToBeVisibleAsync();

        await portal.System.Api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Resume, Session = session });

        await visit.ExpectAnswerAsync("resume", "rejected");
        await Expect(visit.Page.GetByTestId("command-log").GetByRole(AriaRole.Row).Nth(1).Locator("div.ec-muted")).Not.ToBeEmptyAsync();
        await portal.MakeIdleAsync();
    }

    [Fact]
    public async Task When_uploads_wait_the_robot_says_why_and_when_it_tries_again()
    {
        await portal.MakeIdleAsync();
        var api = portal.System.Api;
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, Page);
        var note = visit.Page.GetByTestId("upload-waits");
        await Expect(note).ToHaveCountAsync(0);

        portal.StorageLink.Cut(refuse: true);
        var session = await portal.StartSessionAsync("storage away");
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Finish, Session = session });
        await Expect(note).ToContainTextAsync(new Regex(@"attempts in a row to upload failed; the next is due at \d\d:\d\d:\d\d\."));
        await using var fleet = await portal.VisitAsAsync(Roles.Viewer, "/fleet");
        await Expect(fleet.Page.GetByTestId("fleet")).ToContainTextAsync(new Regex(@"again \d\d:\d\d:\d\d"));
        portal.StorageLink.Restore();
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Sync });
        await Expect(note).ToHaveCountAsync(0);

        // In hours that are over or yet to come.
        var hour = DateTime.Now.Hour;
        await SetAsync($"{(hour + 2) % 24:00}:00-{(hour + 3) % 24:00}:00");
        session = await portal.StartSessionAsync("out of hours");
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Finish, Session = session });
        await Expect(note).ToContainTextAsync("uploads run only in the hours that the setting upload.windows names");
        await Expect(fleet.Page.GetByTestId("fleet")).ToContainTextAsync("waits");
        await SetAsync("");
        await Expect(note).ToHaveCountAsync(0);

        async Task SetAsync(string windows) => Assert.Equal(CommandStatus.Succeeded, (await api.CommandAsync(
            Portal.Robot, new CommandRequest { Command = CommandKind.Configure, Settings = new Dictionary<string, string> { ["upload.windows"] = windows } })).Status);
    }

    [Fact]
    public async Task A_viewer_sees_the_robot_and_no_button_and_a_data_scientist_may_export_only()
    {
        await portal.MakeIdleAsync();
        var session = await portal.StartSessionAsync("only looked at");
        await portal.System.Api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Finish, Session = session });

        await using var viewer = await portal.VisitAsAsync(Roles.Viewer, Page);
        await Expect(viewer.Page.GetByRole(AriaRole.Heading, new() { Name = Portal.Robot })).ToBeVisibleAsync();
        await Expect(viewer.Page.GetByRole(AriaRole.Group, new() { Name = "Commands to" })).ToHaveCountAsync(0);
        await viewer.GoAsync($"/sessions/{session}");
        await Expect(viewer.Page.GetByTestId("segments")).ToBeVisibleAsync();
        await Expect(viewer.Page.GetByRole(AriaRole.Button, new() { Name = "Export" })).ToHaveCountAsync(0);

        await using var scientist = await portal.VisitAsAsync(Roles.DataScientist, Page);
        await Expect(scientist.Page.GetByRole(AriaRole.Group, new() { Name = "Commands to" })).ToHaveCountAsync(0);
        await scientist.GoAsync($"/sessions/{session}");
        await Expect(scientist.Page.GetByRole(AriaRole.Button, new() { Name = "Export" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task What_does_not_exist_is_said_to_not_exist()
    {
        // Filters that exclude every session are another thing than a catalogue without any.
        await portal.MakeIdleAsync();
        var session = await portal.StartSessionAsync("there is one");
        await portal.System.Api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Finish, Session = session });

        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/robots/no-such-robot");
        await Expect(visit.Page.GetByText("This robot never connected")).ToBeVisibleAsync();

        await visit.GoAsync($"/sessions/{Guid.NewGuid()}");
        await Expect(visit.Page.GetByText("There is no such session")).ToBeVisibleAsync();

        await visit.GoAsync($"/exports/{Guid.NewGuid()}");
        await Expect(visit.Page.GetByText("There is no such export")).ToBeVisibleAsync();

        await visit.GoAsync("/sessions?robot=no-such-robot&q=%27%3B--");
        await Expect(visit.Page.GetByText("No session passes these filters")).ToBeVisibleAsync();

        visit.ExpectComplaints("404");
        await visit.Page.GotoAsync("/nowhere");
        await Expect(visit.Page.GetByText("There is nothing at this address")).ToBeVisibleAsync();
    }

    // Repeats of latched messages at the start of segments are in no count.
    private static async Task<long> CountMessagesAsync(string path)
    {
        await using var reader = await McapIndexedReader.OpenAsync(path, cancellationToken: TestContext.Current.CancellationToken);
        var count = 0L;
        await foreach (var message in reader.ReadMessages())
        {
            if (!reader.Channels[message.ChannelId].Metadata.ContainsKey("edgecloud.repeat"))
                count++;
        }
        return count;
    }
}
