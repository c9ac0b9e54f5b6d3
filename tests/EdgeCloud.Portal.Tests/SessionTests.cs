using System.Text.RegularExpressions;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EdgeCloud.Portal.Tests;

[Collection(PortalCollection.Name)]
public sealed class SessionTests(Portal portal)
{
    // Browser tests run one after the other.
    private static Guid _session;

    [Fact]
    public async Task Dragging_chooses_a_range_the_wheel_zooms_a_click_sets_the_cursor_and_all_is_in_the_address()
    {
        var session = await FinishedAsync();
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, $"/sessions/{session}");
        var page = visit.Page;
        var lane = page.Locator("[data-lane='/imu/data'] .ec-tl-area");
        await Expect(lane).ToBeVisibleAsync();
        await Expect(page.GetByTestId("selection")).ToContainTextAsync("Drag over the lanes");

        var box = (await lane.BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + (box.Width * 0.25f), box.Y + 6);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + (box.Width * 0.5f), box.Y + 6, new() { Steps = 4 });
        await Expect(page.Locator(".ec-tl-pick")).ToBeVisibleAsync();
        await page.Mouse.UpAsync();
        await Expect(page).ToHaveURLAsync(new Regex(@"from=\d{4}-.*Z&to=\d{4}-.*Z$"));
        await Expect(page.GetByTestId("selection")).ToContainTextAsync("Whole session");
        await Expect(page.Locator(".ec-tl-brush")).ToBeVisibleAsync();
        var chosen = page.Url;

        await lane.ClickAsync(new() { Position = new() { X = box.Width / 2, Y = 6 } });
        await Expect(page).ToHaveURLAsync(new Regex(@"&t=\d{19}$"));
        await Expect(page.Locator(".ec-tl-cursor")).ToBeVisibleAsync();

        await page.Keyboard.PressAsync("+");
        await Expect(page).Not.ToHaveURLAsync(new Regex(Regex.Escape(new Uri(chosen).Query.Split("&t=")[0])));
        var zoomed = page.Url;
        await page.Mouse.MoveAsync(box.X + (box.Width / 2), box.Y + 6);
        await page.Keyboard.DownAsync("Control");
        await page.Mouse.WheelAsync(0, 400);
        await page.Keyboard.UpAsync("Control");
        await Expect(page).Not.ToHaveURLAsync(zoomed);

        var address = page.Url;
        await page.ReloadAsync();
        await Expect(page).ToHaveURLAsync(address);
        await Expect(page.Locator(".ec-tl-brush")).ToBeVisibleAsync();
        await visit.WaitUntilLiveAsync();
        await page.GetByTestId("selection").GetByRole(AriaRole.Link, new() { Name = "Whole session" }).ClickAsync();
        await Expect(page.Locator(".ec-tl-brush")).ToHaveCountAsync(0);
        await page.GoBackAsync();
        await Expect(page.Locator(".ec-tl-brush")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_zoom_outlives_what_the_server_says_before_it_is_in_the_address()
    {
        var session = await FinishedAsync();
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, $"/sessions/{session}");
        await visit.WaitUntilLiveAsync();
        await Expect(visit.Page.Locator("[data-lane='/imu/data'] .ec-tl-area")).ToBeVisibleAsync();
        await visit.Page.EvaluateAsync("""
            () => {
                const timeline = document.querySelector('ec-timeline');
                timeline.zoom(0.5);
                for (const name of ['data-from', 'data-cursor'])
                    timeline.setAttribute(name, timeline.getAttribute(name) ?? '');
            }
            """);
        await Expect(visit.Page).ToHaveURLAsync(new Regex(@"from=\d{4}-.*Z&to=\d{4}-.*Z$"));
    }

    [Fact]
    public async Task A_gap_in_a_topic_is_on_its_lane_in_the_table_and_the_keys_lead_to_it()
    {
        var session = await FinishedAsync();
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, $"/sessions/{session}?panel=gaps");
        var page = visit.Page;
        await Expect(page.Locator(".ec-page-head")).ToContainTextAsync("finished");

        // The pause is no gap. Whether the first message came late depends on the machine: table and key agree, whatever they say.
        await Expect(page.Locator("[data-lane='/imu/data'] path.ec-lane-paused")).ToHaveCountAsync(1);
        await Expect(page.Locator("[data-lane='/diagnostics'] path")).Not.ToHaveCountAsync(0);
        var table = page.GetByTestId("incidents");
        await Expect(table.Or(page.GetByText("Nothing is missing"))).ToBeVisibleAsync();
        var missing = await table.CountAsync() > 0;
        await page.Keyboard.PressAsync("]");
        await Expect(page.Locator("#ec-announcer")).ToHaveTextAsync(new Regex(missing ? "^Gap or loss at " : "^No gaps and no losses$"));
        if (missing)
            await Expect(page).ToHaveURLAsync(new Regex(@"[?&]t=\d{19}"));
    }

    [Fact]
    public async Task Tags_and_notes_are_there_at_once_can_be_undone_and_show_markup_as_text()
    {
        const string markup = "<img src=x onerror=alert(1)>";
        var session = await FinishedAsync();
        await using var visit = await portal.VisitAsAsync(Roles.DataScientist, $"/sessions/{session}?panel=notes");
        var page = visit.Page;

        await page.GetByLabel("Add a tag").FillAsync("rainy");
        await page.Keyboard.PressAsync("Enter");
        var tags = page.GetByRole(AriaRole.Group, new() { Name = "Tags" });
        await Expect(tags.GetByRole(AriaRole.Link, new() { Name = "rainy" })).ToBeVisibleAsync();
        await tags.GetByRole(AriaRole.Button, new() { Name = "Remove the tag rainy" }).ClickAsync();
        await Expect(tags.GetByRole(AriaRole.Link, new() { Name = "rainy" })).ToHaveCountAsync(0);
        await tags.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(tags.GetByRole(AriaRole.Link, new() { Name = "rainy" })).ToBeVisibleAsync();

        await page.GetByLabel("New note").FillAsync(markup);
        await page.GetByRole(AriaRole.Button, new() { Name = "Add note" }).ClickAsync();
        var note = page.GetByTestId("notes").Locator(".ec-prose");
        await Expect(note).ToHaveTextAsync(markup);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete this note" }).ClickAsync();
        await Expect(note).ToHaveCountAsync(0);
        await page.GetByTestId("notes").GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await Expect(note).ToHaveTextAsync(markup);

        await page.GetByRole(AriaRole.Button, new() { Name = "Mark event" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await dialog.GetByLabel("Kind").FillAsync("near-miss");
        await dialog.GetByLabel("What happened").FillAsync(markup);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Mark event" }).ClickAsync();
        await Expect(page.GetByTestId("events")).ToContainTextAsync(markup);
        await Expect(page.Locator(".ec-event-mark")).ToContainTextAsync("near-miss");

        await visit.GoAsync($"/sessions?tag=rainy");
        await Expect(page.GetByTestId("sessions").Locator("tbody tr")).ToHaveCountAsync(1);

        await using var viewer = await portal.VisitAsAsync(Roles.Viewer, $"/sessions/{session}?panel=notes");
        await Expect(viewer.Page.GetByTestId("notes")).ToContainTextAsync(markup);
        await Expect(viewer.Page.GetByLabel("Add a tag")).ToHaveCountAsync(0);
        await Expect(viewer.Page.GetByLabel("New note")).ToHaveCountAsync(0);
        await Expect(viewer.Page.GetByRole(AriaRole.Button, new() { Name = "Mark event" })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task What_is_only_on_the_robot_is_said_and_fetched_with_its_answer_beside_the_button()
    {
        await portal.MakeIdleAsync();
        var api = portal.System.Api;
        var started = await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Start, Name = "kept on the robot", Upload = UploadPolicy.OnDemand });
        var session = started.Session!.Value;
        await portal.System.Api.WaitForRobotAsync(Portal.Robot, s => s.Sessions.Any(x => x.Session == session && x.Messages > 0), "records");
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Pause, Session = session });
        await using var visit = await portal.VisitAsAsync(Roles.Operator, $"/sessions/{session}");
        var page = visit.Page;

        await Expect(page.GetByTestId("selection")).ToContainTextAsync("only on the robot");
        await page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Fetch ") }).ClickAsync();

        await Expect(page.GetByTestId("fetch")).ToContainTextAsync("fetch succeeded");
        await Expect(page.GetByTestId("selection")).Not.ToContainTextAsync("only on the robot");
        await using var viewer = await portal.VisitAsAsync(Roles.Viewer, $"/sessions/{session}");
        await Expect(viewer.Page.GetByTestId("selection")).ToBeVisibleAsync();
        await Expect(viewer.Page.GetByRole(AriaRole.Button, new() { NameRegex = new Regex("^Fetch ") })).ToHaveCountAsync(0);
        await portal.MakeIdleAsync();
    }

    [Fact]
    public async Task A_session_is_deleted_with_its_price_named_and_comes_back()
    {
        await portal.MakeIdleAsync();
        var session = await portal.StartSessionAsync("to be deleted");
        await portal.System.Api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Finish, Session = session });
        await portal.System.Api.WaitForSessionAsync(session, s => s.State == SessionState.Finished, "is finished");
        await using var visit = await portal.VisitAsAsync(Roles.Operator, $"/sessions/{session}");
        var page = visit.Page;

        await page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        await Expect(dialog).ToContainTextAsync("This deletes");
        await Expect(dialog.GetByRole(AriaRole.Button, new() { Name = "Keep it" })).ToBeFocusedAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete session" }).ClickAsync();
        await Expect(page.GetByTestId("deleted")).ToContainTextAsync("Its data goes for good at");

        await visit.GoAsync("/sessions?deleted=1");
        await page.GetByRole(AriaRole.Link, new() { Name = "to be deleted" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo, restore it" }).ClickAsync();
        await Expect(page.GetByTestId("deleted")).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true })).ToBeVisibleAsync();

        await using var scientist = await portal.VisitAsAsync(Roles.DataScientist, $"/sessions/{session}");
        await Expect(scientist.Page.GetByTestId("segments")).ToBeVisibleAsync();
        await Expect(scientist.Page.GetByRole(AriaRole.Button, new() { Name = "Delete", Exact = true })).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task The_list_is_narrowed_by_chips_keeps_views_and_columns_and_says_what_excludes_most()
    {
        await FinishedAsync();
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/sessions?topic=/imu*");
        var page = visit.Page;
        await Expect(page.GetByTestId("sessions").Locator("tbody tr").First).ToBeVisibleAsync();

        await page.GetByLabel("Type of a topic").FillAsync("no/such/Type");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("No session passes these filters")).ToBeVisibleAsync();
        await Expect(page.Locator(".ec-empty")).ToContainTextAsync("Without type no/such/Type there");
        await page.Locator(".ec-empty").GetByRole(AriaRole.Link).First.ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex(@"/sessions\?topic=%2Fimu"));

        await page.Locator("summary").Filter(new() { HasText = "Columns" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Messages", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "Messages" })).ToHaveCountAsync(0);

        var name = $"imu {Guid.NewGuid():N}";
        await page.Locator("summary").Filter(new() { HasText = "Views" }).ClickAsync();
        await page.GetByLabel("Name of the new view").FillAsync(name);
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = name })).ToBeVisibleAsync();

        await visit.GoAsync("/sessions");
        await page.Locator("summary").Filter(new() { HasText = "Views" }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = name }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "Messages" })).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Remove the filter topic /imu*" })).ToBeVisibleAsync();
        Assert.Contains("api/v1/sessions?topic=%2Fimu%2A", await page.GetByRole(AriaRole.Button, new() { Name = "Copy CLI" }).GetAttributeAsync("data-copy"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_segment_has_a_page_with_its_hashes_and_the_certificate_is_held_against_storage()
    {
        var session = await FinishedAsync();
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, $"/sessions/{session}");
        var page = visit.Page;

        await page.GetByTestId("segments").GetByRole(AriaRole.Link, new() { Name = "2", Exact = true }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex("/segments/2$"));
        await Expect(page.GetByText("000002.mcap").First).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Copy SHA-256 of the previous segment" })).ToBeVisibleAsync();
        await Expect(page.GetByText("/imu/data").First).ToBeVisibleAsync();

        await visit.GoAsync($"/sessions/{session}?panel=certificate");
        await page.GetByRole(AriaRole.Button, new() { Name = "Verify" }).ClickAsync();
        await Expect(page.GetByTestId("certificate")).ToContainTextAsync("holds");

        await visit.GoAsync($"/sessions/{session}/segments/9999");
        await Expect(page.GetByText("There is no such segment")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task An_event_shows_its_stretch_of_its_parent_and_each_leads_to_the_other()
    {
        await portal.MakeIdleAsync();
        var api = portal.System.Api;
        var parent = await portal.StartSessionAsync("the whole day");
        await api.CommandAsync(Portal.Robot, new CommandRequest
        {
            Command = CommandKind.Trigger,
            Session = parent,
            Name = "hard stop",
            Span = new TriggerSpan { PreSeconds = 1, PostSeconds = 2 },
        });
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Sync, Session = parent });
        var known = await Eventually.Gives(
            async () => await api.GetAsync($"sessions/{parent}", ApiJsonContext.Default.SessionView) is { Events: [_] } view ? view : null,
            TimeSpan.FromSeconds(60), "the event is announced");
        var made = known.Events![0];
        await api.WaitForSessionAsync(made, s => s.State == SessionState.Finished, "is delivered");
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Finish, Session = parent });
        await using var visit = await portal.VisitAsAsync(Roles.DataScientist, $"/sessions/{parent}");
        var page = visit.Page;

        await page.GetByTestId("events-of").GetByRole(AriaRole.Link, new() { Name = "hard stop" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex($"/sessions/{made}$"));
        await Expect(page.GetByTestId("event-of")).ToContainTextAsync("hard stop");
        await Expect(page.Locator("[data-lane='/imu/data']")).ToBeVisibleAsync();
        await Expect(page.GetByTestId("segments").Locator("tbody tr")).Not.ToHaveCountAsync(0);
        await Expect(page.Locator(".ec-facts")).ToContainTextAsync("3 s");
        await page.GetByTestId("event-of").GetByRole(AriaRole.Link, new() { Name = "the whole day" }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex($"/sessions/{parent}$"));
    }

    // One finished session with a pause, for all tests that only look or annotate.
    private async Task<Guid> FinishedAsync()
    {
        if (_session != Guid.Empty)
            return _session;
        await portal.MakeIdleAsync();
        var session = await portal.StartSessionAsync("looked at closely", everyTopic: true);
        var api = portal.System.Api;
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Pause, Session = session });
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Resume, Session = session });
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Finish, Session = session });
        await api.WaitForSessionAsync(session, s => s.State == SessionState.Finished, "is finished");
        return _session = session;
    }
}
