using System.Text;
using System.Text.RegularExpressions;
using EdgeCloud.ControlPlane.Access;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EdgeCloud.Portal.Tests;

[Collection(PortalCollection.Name)]
public sealed class FleetTests(Portal portal)
{
    [Fact]
    public async Task Filters_and_order_live_in_the_address_and_the_way_back_undoes_them()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/fleet");
        var page = visit.Page;
        var row = page.GetByTestId("fleet").GetByRole(AriaRole.Link, new() { Name = Portal.Robot, Exact = true });
        await Expect(row).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Link, new() { Name = "Lost 24 h", Exact = true }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex(@"/fleet\?sort=lost$"));
        await Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "Lost 24 h" })).ToHaveAttributeAsync("aria-sort", "ascending");
        await page.GetByLabel("Robots whose name contains").FillAsync("no such robot");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page.GetByText("No robot here has “no such robot” in its name")).ToBeVisibleAsync();
        await Expect(page).ToHaveURLAsync(new Regex(@"/fleet\?q=no%20such%20robot&sort=lost$"));

        await page.ReloadAsync();
        await Expect(page.GetByText("No robot here has “no such robot” in its name")).ToBeVisibleAsync();
        await visit.WaitUntilLiveAsync();
        await page.GoBackAsync();
        await Expect(row).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_view_of_the_fleet_is_kept_applied_and_deleted_and_nobody_elses_unless_it_is_shared()
    {
        var name = $"mine {Guid.NewGuid():N}";
        await portal.MakeIdleAsync();
        await portal.StartSessionAsync("a list has views when there is something in it");
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/fleet?q=no&state=offline&sort=-lost");
        var page = visit.Page;
        var view = page.GetByRole(AriaRole.Link, new() { Name = name });
        await OpenAsync(page);
        await page.GetByLabel("Name of the new view").FillAsync(name);
        await page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(view).ToBeVisibleAsync();

        await visit.GoAsync("/fleet");
        await OpenAsync(page);
        await view.ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex(@"/fleet\?q=no&state=offline&sort=-lost$"));
        await Expect(page.GetByText("No robot here has “no” in its name")).ToBeVisibleAsync();

        // One of the sessions is not one of the fleet, and one that is not shared is nobody else's.
        await visit.GoAsync("/sessions");
        await OpenAsync(page);
        await Expect(page.GetByLabel("Name of the new view")).ToBeVisibleAsync();
        await Expect(view).ToHaveCountAsync(0);
        await using var other = await portal.VisitAsAsync(Roles.Operator, "/fleet");
        await OpenAsync(other.Page);
        await other.Page.GetByLabel("Name of the new view").FillAsync($"shared {name}");
        await other.Page.GetByLabel("for everybody").CheckAsync();
        await other.Page.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(other.Page.GetByRole(AriaRole.Link, new() { Name = $"shared {name}" })).ToBeVisibleAsync();
        await Expect(other.Page.GetByRole(AriaRole.Link, new() { Name = name, Exact = true })).ToHaveCountAsync(0);

        await visit.GoAsync("/fleet");
        await OpenAsync(page);
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = $"shared {name}" })).ToContainTextAsync(Roles.Operator);
        var delete = page.GetByRole(AriaRole.Button, new() { Name = $"Delete the view {name}", Exact = true });
        await delete.ClickAsync();
        await Expect(page.GetByText($"“{name}” deleted")).ToBeVisibleAsync();
        await Expect(delete).ToHaveCountAsync(0);
        await page.GetByRole(AriaRole.Button, new() { Name = "Undo" }).ClickAsync();
        await delete.ClickAsync();
        await Expect(delete).ToHaveCountAsync(0);
        await Expect(page.GetByText($"“{name}” deleted")).ToBeVisibleAsync();
        await page.ReloadAsync();
        await visit.WaitUntilLiveAsync();
        await OpenAsync(page);
        await Expect(delete).ToHaveCountAsync(0);

        static Task OpenAsync(IPage page) => page.Locator("summary").Filter(new() { HasText = "Views" }).ClickAsync();
    }

    [Fact]
    public async Task Back_before_the_page_has_its_circuit_is_not_lost()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/fleet");
        var page = visit.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = "Lost 24 h", Exact = true }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex(@"/fleet\?sort=lost$"));
        // The address changes first; the box to type into is drawn again with the list.
        await Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "Lost 24 h" })).ToHaveAttributeAsync("aria-sort", "ascending");
        await page.GetByLabel("Robots whose name contains").FillAsync("no such robot");
        await page.Keyboard.PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(new Regex(@"/fleet\?q=no%20such%20robot&sort=lost$"));

        // The server has been told where the page is, and what it draws does not arrive before the way back was taken.
        var asked = new TaskCompletionSource();
        Action release = () => { };
        await page.RouteWebSocketAsync(new Regex("/_blazor"), socket =>
        {
            var gate = new Lock();
            List<byte[]>? held = null;
            var server = socket.ConnectToServer();
            release = () =>
            {
                lock (gate)
                {
                    held?.ForEach(socket.Send);
                    held = null;
                }
            };
            socket.OnMessage(frame =>
            {
                lock (gate)
                {
                    if (!asked.Task.IsCompleted && frame.Binary is { } bytes && Encoding.UTF8.GetString(bytes).Contains("StartCircuit", StringComparison.Ordinal))
                    {
                        held = [];
                        asked.SetResult();
                    }
                }
                Pass(frame, server);
            });
            server.OnMessage(frame =>
            {
                lock (gate)
                {
                    if (held is not null && frame.Binary is { } bytes)
                        held.Add(bytes);
                    else
                        Pass(frame, socket);
                }
            });
        });
        await page.ReloadAsync();
        await asked.Task.WaitAsync(TimeSpan.FromMilliseconds(Portal.PatienceMs), TestContext.Current.CancellationToken);
        await page.GoBackAsync();
        await Expect(page).ToHaveURLAsync(new Regex(@"/fleet\?sort=lost$"));
        release();

        await visit.WaitUntilLiveAsync();
        await Expect(page.GetByTestId("fleet").GetByRole(AriaRole.Link, new() { Name = Portal.Robot, Exact = true })).ToBeVisibleAsync();

        static void Pass(IWebSocketFrame frame, IWebSocketRoute to)
        {
            if (frame.Binary is { } bytes)
                to.Send(bytes);
            else
                to.Send(frame.Text!);
        }
    }

    [Fact]
    public async Task Robots_that_tell_where_they_are_are_on_the_map()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/fleet?view=map");

        var marker = visit.Page.GetByRole(AriaRole.Link, new() { NameRegex = new Regex($"{Portal.Robot}, .*48\\.13\\d+, 11\\.57\\d+") });
        await Expect(marker).ToBeVisibleAsync();
        await Expect(visit.Page.Locator(".ec-map-scale")).ToContainTextAsync(" m");
        await Expect(visit.Page.Locator(".ec-map-degrees").First).ToContainTextAsync("°");

        await visit.Page.GetByRole(AriaRole.Link, new() { Name = "Table" }).ClickAsync();
        await Expect(visit.Page.GetByTestId("fleet")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_robot_has_charts_of_what_it_told_with_the_range_in_the_address()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, $"/robots/{Portal.Robot}?tab=charts&from=now-15m");
        var page = visit.Page;

        var throughput = page.GetByRole(AriaRole.Figure, new() { NameRegex = new Regex("^Throughput in MB") });
        await Expect(throughput.Locator(".ec-chart-line").First).ToHaveAttributeAsync("d", new Regex("^M[\\d.]+ "));
        foreach (var title in new[] { "Disk", "CPU", "Network", "Memory", "From message to durable" })
            await Expect(page.GetByRole(AriaRole.Heading, new() { Name = title, Exact = true })).ToBeVisibleAsync();
        await Expect(throughput.Locator(".ec-chart-axis span").First).ToHaveTextAsync("0");

        var plot = throughput.Locator(".ec-chart-plot");
        await plot.HoverAsync();
        await Expect(throughput.Locator(".ec-chart-at")).ToHaveTextAsync(new Regex(@"\d\d:\d\d:\d\d"));
        var box = (await plot.BoundingBoxAsync())!;
        await page.Mouse.MoveAsync(box.X + (box.Width * 0.6f), box.Y + 40);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + (box.Width * 0.9f), box.Y + 40, new() { Steps = 4 });
        await page.Mouse.UpAsync();
        await Expect(page).ToHaveURLAsync(new Regex(@"tab=charts&from=\d{4}-.*Z&to=\d{4}-.*Z$"));

        await page.GotoAsync($"/robots/{Portal.Robot}?tab=charts&from=2020-01-01T00:00:00Z&to=2020-01-02T00:00:00Z");
        await Expect(page.GetByText("No figures in this range")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_robot_shows_its_topics_with_rate_size_and_class_its_day_and_its_log()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, $"/robots/{Portal.Robot}");
        var page = visit.Page;

        var imu = page.GetByTestId("topics").GetByRole(AriaRole.Row).Filter(new() { HasText = "/imu/data" });
        await Expect(imu).ToContainTextAsync(new Regex(@"sensor_msgs/msg/Imu\s*\w+\s*[\d.]+ / "));
        await Expect(imu).ToContainTextAsync(" B");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "24 hours" })).ToBeVisibleAsync();

        await page.GetByRole(AriaRole.Link, new() { Name = "Log", Exact = true }).ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex(@"\?tab=log$"));
        await page.GetByRole(AriaRole.Link, new() { Name = "critical", Exact = true }).ClickAsync();
        await Expect(page.GetByText("No line of level critical")).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Keys_work_where_nobody_types()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/fleet");
        var page = visit.Page;

        await page.Keyboard.PressAsync("?");
        await Expect(page.GetByRole(AriaRole.Dialog).GetByText("previous and next gap or loss")).ToBeVisibleAsync();
        await page.Keyboard.PressAsync("Escape");
        await page.Keyboard.PressAsync("j");
        await Expect(page.GetByTestId("fleet").Locator(".ec-row-link").First).ToBeFocusedAsync();
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("j?/");
        await Expect(page.Locator("#ec-search")).ToHaveValueAsync("j?/");
    }
}
