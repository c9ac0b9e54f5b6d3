using System.Text.RegularExpressions;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EdgeCloud.Portal.Tests;

/// <summary>A recording is looked at in the browser: plots, images, messages and logs of the simulated robot.</summary>
[Collection(PortalCollection.Name)]
public sealed class PreviewTests(Portal portal) : IAsyncLifetime
{
    private static Guid? _session;

    private Guid Session => _session!.Value;

    public async ValueTask InitializeAsync()
    {
        // One recording for all of them.
        if (_session is not null || portal.Url.Length == 0)
            return;
        await portal.MakeIdleAsync();
        var session = await portal.StartSessionAsync("looked at", everyTopic: true);
        var api = portal.System.Api;
        await api.CommandAsync(Portal.Robot, new CommandRequest { Command = CommandKind.Finish, Session = session });
        await api.WaitForSessionAsync(session, s => s.State == SessionState.Finished, "is finished");
        _session = session;
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    [Fact]
    public async Task A_tab_that_nobody_sees_asks_for_no_plot_until_somebody_does()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/fleet");
        var page = visit.Page;
        var asked = 0;
        page.Request += (_, request) => asked += request.Url.Contains("/preview/series", StringComparison.Ordinal) ? 1 : 0;
        await page.AddInitScriptAsync("Object.defineProperty(document, 'hidden', { get: () => !window.seen })");
        await visit.GoAsync($"/sessions/{Session}?panel=plot&plot={Uri.EscapeDataString("/imu/data:linear_acceleration.x")}");
        await Expect(page.Locator("ec-plot")).ToHaveCountAsync(1);
        Assert.Equal(0, asked);

        await page.EvaluateAsync("window.seen = true; document.dispatchEvent(new Event('visibilitychange'))");

        await Expect(page.Locator("ec-plot[data-complete='true'] tbody tr")).ToHaveCountAsync(1);
    }

    [Fact]
    public async Task What_a_script_asks_wrongly_is_answered_with_the_reason()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, $"/sessions/{Session}");
        foreach (var (path, status, reason) in new[]
        {
            ($"/sessions/{Session}/preview/series?field=nonsense", 400, "joined by a colon"),
            ($"/sessions/{Session}/preview/series?field=/imu/data:x&columns=many", 400, "columns"),
            ($"/sessions/{Session}/preview/frame?topic=/nowhere", 404, "no messages of the topic '/nowhere'"),
            ($"/sessions/{Guid.NewGuid()}/preview/series?field=/imu/data:x", 404, "There is no session"),
        })
        {
            var answer = await visit.Page.APIRequest.GetAsync(path);
            Assert.Equal((status, "application/problem+json"), (answer.Status, answer.Headers["content-type"]));
            Assert.Contains(reason, (await answer.JsonAsync())!.Value.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_plot_is_chosen_drawn_pointed_at_and_zoomed()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, $"/sessions/{Session}?panel=plot");
        var page = visit.Page;
        await page.GetByText("/imu/data: linear_acceleration.x").ClickAsync();
        var plot = page.Locator("ec-plot[data-complete='true']");
        await Expect(plot.Locator("tbody tr")).ToHaveCountAsync(4);
        await Expect(plot.Locator("tbody tr").First.Locator("td").Nth(4)).ToHaveTextAsync("m/s²");
        Assert.True(await InkAsync(page) > 500, "the plot is blank");

        await page.GetByLabel("Topic to plot").SelectOptionAsync("/battery");
        await page.GetByLabel("Field to plot").SelectOptionAsync(new SelectOptionValue { Index = 1 });
        await Expect(page.Locator("ec-plot .ec-plot-status")).ToContainTextAsync("MiB in");
        await Expect(plot.Locator("tbody tr")).ToHaveCountAsync(5);

        var box = (await page.Locator(".ec-plot-strip").First.BoundingBoxAsync())!;
        await page.Mouse.ClickAsync(box.X + (box.Width / 2), box.Y + 80);
        await Expect(page).ToHaveURLAsync(new Regex(@"[?&]t=\d{19}"));
        await Expect(plot.Locator("tbody tr").First.Locator("td").Nth(1)).Not.ToHaveTextAsync("-");
        await page.Mouse.MoveAsync(box.X + 200, box.Y + 80);
        await page.Mouse.DownAsync();
        await page.Mouse.MoveAsync(box.X + 400, box.Y + 80);
        await page.Mouse.UpAsync();
        await Expect(page).ToHaveURLAsync(new Regex("[?&]from=.*to="));
        await Expect(page.GetByTestId("plot-panel").GetByRole(AriaRole.Link, new() { Name = "Whole session" })).ToBeVisibleAsync();
        await page.GoBackAsync();
        await Expect(page.GetByTestId("plot-panel").GetByRole(AriaRole.Link, new() { Name = "Whole session" })).Not.ToBeVisibleAsync();
    }

    [Fact]
    public async Task Images_show_at_the_cursor_and_along_the_strip()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, $"/sessions/{Session}?panel=image");
        var page = visit.Page;
        await Expect(page.Locator("ec-film .ec-plot-status")).ToContainTextAsync("320 x 240 png");
        var first = await page.Locator("ec-film").GetAttributeAsync("data-shown");
        await page.Locator(".ec-film-frame").Last.ClickAsync();
        await Expect(page).ToHaveURLAsync(new Regex(@"[?&]t=\d{19}"));
        await Expect(page.Locator("ec-film")).Not.ToHaveAttributeAsync("data-shown", first!);

        await page.GetByRole(AriaRole.Link, new() { Name = "/lidar/points" }).ClickAsync();
        await Expect(page.Locator("ec-film .ec-plot-status")).ToContainTextAsync(new Regex(@"\d+ points, [\d.]+ m across"));
    }

    [Fact]
    public async Task The_last_message_up_to_the_cursor_is_a_tree()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, $"/sessions/{Session}?panel=messages");
        var page = visit.Page;
        await page.GetByRole(AriaRole.Link, new() { Name = "/imu/data" }).ClickAsync();
        var tree = page.GetByTestId("message-tree");
        await Expect(tree).ToContainTextAsync("linear_acceleration");
        await Expect(tree).ToContainTextAsync("frame_id: imu");
        await page.GetByRole(AriaRole.Link, new() { Name = "/camera/image/compressed" }).ClickAsync();
        await Expect(tree).ToContainTextAsync(new Regex(@"data: .* in all"));
        await page.GetByRole(AriaRole.Link, new() { Name = "/battery" }).ClickAsync();
        await Expect(tree).ToContainTextAsync("current");
    }

    [Fact]
    public async Task Diagnoses_are_a_table_with_a_filter_in_the_address()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, $"/sessions/{Session}?panel=log");
        var page = visit.Page;
        await Expect(page.GetByTestId("log-lines")).ToContainTextAsync("drive: left motor");
        await page.GetByLabel("Contains").FillAsync("lidar");
        await page.GetByLabel("Contains").PressAsync("Enter");
        await Expect(page).ToHaveURLAsync(new Regex("find=lidar"));
        await Expect(page.GetByTestId("log-lines")).Not.ToContainTextAsync("left motor");
        await page.GetByLabel("At least").SelectOptionAsync("fatal");
        await Expect(page.GetByText("No line passes the filter")).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData("Open in Foxglove", "https://app.foxglove.dev/")]
    [InlineData("Open in Lichtblick", "https://lichtblick-suite.github.io/")]
    public async Task A_viewer_of_another_origin_reads_the_merged_file_by_range(string link, string viewer)
    {
        await using var visit = await portal.VisitAsAsync(Roles.DataScientist, $"/sessions/{Session}");
        // The store of this test is at 127.0.0.1, and Chromium asks a person before a page of the Internet may read from there.
        await visit.Page.Context.GrantPermissionsAsync(["local-network-access"], new() { Origin = viewer });
        // In place of the viewer, a page of its origin that reads what every MCAP reader reads first: the magic at both ends.
        await visit.Page.Context.RouteAsync(viewer + "**", route => route.FulfillAsync(new() { ContentType = "text/html", Body = """
            <output></output><script>(async () => {
              const url = new URLSearchParams(location.search).get('ds.url');
              const read = async range => {
                const answer = await fetch(url, { headers: { Range: `bytes=${range}` } });
                const bytes = new Uint8Array(await answer.arrayBuffer());
                return { status: answer.status, of: +answer.headers.get('Content-Range').split('/')[1], text: String.fromCharCode(...bytes.subarray(1)) };
              };
              const first = await read('0-7');
              const last = await read(`${first.of - 8}-${first.of - 1}`);
              document.querySelector('output').textContent = JSON.stringify([first.status, last.status, first.of > 1000, first.text, last.text]);
            })().catch(e => { document.querySelector('output').textContent = e; });</script>
            """ }));
        var open = visit.Page.GetByRole(AriaRole.Link, new() { Name = link });
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Open in a viewer" }).ClickAsync();
        await Expect(open).ToBeVisibleAsync();

        var opened = await visit.Page.Context.RunAndWaitForPageAsync(() => open.ClickAsync());

        await Expect(opened.Locator("output")).ToHaveTextAsync("""[206,206,true,"MCAP0\r\n","MCAP0\r\n"]""");
    }

    [Fact]
    public async Task Whoever_is_not_signed_in_gets_no_picture_and_no_figures()
    {
        await using var visit = await portal.VisitAsync();
        foreach (var path in new[] { "series?field=/imu/data:linear_acceleration.x", "frame?topic=/camera/image/compressed" })
        {
            var answer = await visit.Page.APIRequest.GetAsync($"/sessions/{Session}/preview/{path}", new() { MaxRedirects = 0 });
            // To the login, or refused outright.
            Assert.Contains(answer.Status, new[] { 302, 401 });
        }
    }

    /// <summary>Pixels of the first plot that something was drawn on.</summary>
    private static Task<int> InkAsync(IPage page) => page.EvaluateAsync<int>(
        "() => { const c = document.querySelector('.ec-plot-strip canvas'); const d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data; " +
        "let n = 0; for (let i = 3; i < d.length; i += 4) if (d[i] > 128) n++; return n; }");
}
