using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.Testing;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EdgeCloud.Portal.Tests;

[Collection(PortalCollection.Name)]
public sealed class ConnectionTests(Portal portal)
{
    [Fact]
    public async Task A_lost_connection_freezes_the_figures_says_so_and_heals()
    {
        await using var relay = new TcpRelay(new Uri(portal.Url).Port);
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/fleet", address: $"http://127.0.0.1:{relay.Port}");
        await Expect(visit.Page.GetByText("Live", new() { Exact = true })).ToBeVisibleAsync();

        // The browser itself reports what it cannot reach.
        visit.ExpectComplaints();
        relay.Cut(refuse: true);

        var bar = visit.Page.GetByRole(AriaRole.Alert).Filter(new() { HasText = "Connection lost" });
        await Expect(bar).ToBeVisibleAsync();
        await Expect(bar).ToContainTextAsync(new System.Text.RegularExpressions.Regex(@"Figures frozen at \d\d:\d\d:\d\d"));
        await Expect(visit.Page.GetByText("Live", new() { Exact = true })).ToBeHiddenAsync();

        relay.Restore();

        await Expect(bar).ToBeHiddenAsync();
        await Expect(visit.Page.GetByText("Live", new() { Exact = true })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task After_a_restart_of_the_control_plane_the_page_comes_back_by_itself_and_nobody_is_signed_out()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, $"/robots/{Portal.Robot}");
        await visit.Page.EvaluateAsync("document.documentElement.dataset.before = 'restart'");

        visit.ExpectComplaints();
        await portal.System.ControlPlane.StopAsync(kill: true);
        await Expect(visit.Page.GetByText("Connection lost")).ToBeVisibleAsync();
        await portal.System.ControlPlane.StartAsync();

        // A page that was loaded anew has lost the mark.
        await Expect(visit.Page.Locator("html:not([data-before])[data-live]")).ToHaveCountAsync(1);
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = Portal.Robot })).ToBeVisibleAsync();
        await portal.System.Api.WaitForRobotAsync(Portal.Robot, _ => true, "is heard again");
    }

    [Fact]
    public async Task Without_the_broker_the_page_says_since_when_nothing_is_heard_and_a_command_waits()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Operator, $"/robots/{Portal.Robot}");

        await portal.System.Broker.StopAsync();
        try
        {
            var note = visit.Page.GetByRole(AriaRole.Alert).Filter(new() { HasText = "No connection to the MQTT broker" });
            await Expect(note).ToBeVisibleAsync();
            await visit.PressAsync("Sync");
            await Expect(visit.Page.GetByTestId("command-progress")).ToContainTextAsync("expires");
            await portal.System.Broker.RestartAsync();

            await Expect(note).ToBeHiddenAsync();
            await visit.ExpectAnswerAsync("sync", "succeeded");
        }
        finally
        {
            await portal.System.Broker.RestartAsync();
        }
    }

    [Fact]
    public async Task A_robot_that_goes_is_shown_offline_with_its_last_figures_and_commands_are_queued_for_it()
    {
        const string robot = "amr-02";
        var agent = await portal.System.StartAgentAsync(robot, "{ kind: simulated, seed: 2 }");
        await portal.System.Api.WaitForRobotAsync(robot, _ => true, "connects");
        await using var visit = await portal.VisitAsAsync(Roles.Operator, $"/robots/{robot}");
        await Expect(visit.Page.Locator(".ec-page-head")).ToContainTextAsync("online");

        await agent.KillAsync();

        await Expect(visit.Page.Locator(".ec-page-head")).ToContainTextAsync("offline");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sync" }).ClickAsync();
        await Expect(visit.Page.GetByTestId("command-progress")).ToContainTextAsync("the robot is offline; queued, expires");

        // It comes back and finds what waited for it.
        await portal.System.StartAgentAsync(robot, "{ kind: simulated, seed: 2 }");
        await visit.ExpectAnswerAsync("sync", "succeeded");
        await Expect(visit.Page.Locator(".ec-page-head")).ToContainTextAsync("online");
    }

    [Fact]
    public async Task While_the_database_is_away_what_was_shown_stays_and_says_that_it_is_old()
    {
        await portal.MakeIdleAsync();
        var session = await portal.StartSessionAsync("database away");
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/fleet");
        await Expect(visit.Page.GetByText("recording").First).ToBeVisibleAsync();

        var note = visit.Page.GetByRole(AriaRole.Alert).Filter(new() { HasText = "database does not answer" });
        await portal.System.Postgres.StopAsync();
        try
        {
            await Expect(note).ToBeVisibleAsync();
            await Expect(visit.Page.GetByRole(AriaRole.Link, new() { Name = Portal.Robot, Exact = true })).ToBeVisibleAsync();
        }
        finally
        {
            await portal.System.Postgres.RestartAsync();
        }
        await Expect(note).ToBeHiddenAsync();
        await portal.System.Api.WaitForRobotAsync(Portal.Robot, _ => true, "is heard again");
        await portal.System.Api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Cancel, Session = session });
        await Expect(visit.Page.GetByRole(AriaRole.Row).Filter(new() { HasText = Portal.Robot })).ToContainTextAsync("idle");
    }
}
