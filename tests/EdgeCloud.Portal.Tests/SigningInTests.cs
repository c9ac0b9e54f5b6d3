using EdgeCloud.ControlPlane.Access;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EdgeCloud.Portal.Tests;

[Collection(PortalCollection.Name)]
public sealed class SigningInTests(Portal portal)
{
    [Theory]
    [InlineData("/")]
    [InlineData("/fleet")]
    [InlineData("/robots/amr-01")]
    [InlineData("/sessions")]
    [InlineData("/sessions/01934567-89ab-7def-8123-456789abcdef")]
    [InlineData("/exports")]
    [InlineData("/exports/01934567-89ab-7def-8123-456789abcdef/file")]
    [InlineData("/account/keys")]
    [InlineData("/account/password")]
    public async Task A_visit_without_login_leads_to_the_login(string path)
    {
        await using var visit = await portal.VisitAsync();

        await visit.Page.GotoAsync(path);

        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" })).ToBeVisibleAsync();
        Assert.StartsWith($"{portal.Url}/login", visit.Page.Url, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_the_login_one_is_where_one_wanted_to_be()
    {
        await using var visit = await portal.VisitAsync();
        await visit.Page.GotoAsync("/sessions?loss=1");

        await visit.SignInAsync(Roles.Viewer, Portal.Password);

        await visit.Page.WaitForURLAsync("**/sessions?loss=1");
        await Expect(visit.Page.GetByRole(AriaRole.Heading, new() { Name = "Sessions" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_link_in_the_login_leads_to_no_other_site()
    {
        await using var visit = await portal.VisitAsync();
        await visit.Page.GotoAsync("/login?returnUrl=" + Uri.EscapeDataString("//example.org/fleet"));

        await visit.SignInAsync(Roles.Viewer, Portal.Password);

        await visit.Page.WaitForURLAsync($"{portal.Url}/fleet");
    }

    [Theory]
    [InlineData(Roles.Viewer, "wrong")]
    [InlineData("nobody", Portal.Password)]
    [InlineData("' or 1=1 --", "x")]
    public async Task A_wrong_name_or_password_gives_one_clear_line_that_does_not_tell_which(string user, string password)
    {
        await using var visit = await portal.VisitAsync();
        await visit.Page.GotoAsync("/login");

        await visit.SignInAsync(user, password);

        await Expect(visit.Page.GetByRole(AriaRole.Alert)).ToHaveTextAsync(new System.Text.RegularExpressions.Regex(
            System.Text.RegularExpressions.Regex.Escape(Login.Refusal) + "$"));
        await visit.Page.GotoAsync("/fleet");
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task Signing_out_ends_the_visit()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/fleet");

        await visit.Page.Locator("summary[aria-label=Account]").ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign out" }).ClickAsync();

        await visit.Page.WaitForURLAsync("**/login");
        await visit.Page.GotoAsync("/fleet");
        await Expect(visit.Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" })).ToBeVisibleAsync();
    }

    [Fact]
    public async Task A_password_that_is_changed_is_the_new_one_and_a_wrong_present_one_is_refused()
    {
        const string changed = "quite another password";
        await using var visit = await portal.VisitAsAsync(Roles.DataScientist, "/fleet");
        await visit.Page.GotoAsync("/account/password");

        await FillAsync("not the present one", changed);
        await Expect(visit.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The present password is wrong.");
        await FillAsync(Portal.Password, changed);
        await visit.Page.WaitForURLAsync("**/fleet");
        await using var other = await portal.VisitAsync();
        await other.Page.GotoAsync("/login?returnUrl=/account/password");
        await other.SignInAsync(Roles.DataScientist, changed);
        await other.Page.WaitForURLAsync("**/account/password");
        // Back to what the other tests expect.
        await visit.Page.GotoAsync("/account/password");
        await FillAsync(changed, Portal.Password);
        await visit.Page.WaitForURLAsync("**/fleet");

        async Task FillAsync(string present, string chosen)
        {
            await visit.Page.GetByLabel("Present password").FillAsync(present);
            await visit.Page.Locator("[name='Form.Chosen']").FillAsync(chosen);
            await visit.Page.Locator("[name='Form.Again']").FillAsync(chosen);
            await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Change password" }).ClickAsync();
        }
    }

    [Fact]
    public async Task A_key_is_shown_once_works_and_is_refused_when_withdrawn()
    {
        await using var visit = await portal.VisitAsAsync(Roles.Viewer, "/account/keys");
        var name = $"notebook {Guid.NewGuid():N}";
        await visit.Page.GetByLabel("Name of the new key").FillAsync(name);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();

        var secret = await visit.Page.GetByTestId("new-key").GetByRole(AriaRole.Button, new() { Name = "Copy API key" }).GetAttributeAsync("data-copy");
        using var http = new HttpClient { BaseAddress = new Uri(portal.Url) };
        http.DefaultRequestHeaders.Authorization = new("Bearer", secret);
        Assert.True((await http.GetAsync("/api/v1/robots", TestContext.Current.CancellationToken)).IsSuccessStatusCode);

        await visit.GoAsync("/account/keys");
        await Expect(visit.Page.GetByTestId("new-key")).ToHaveCountAsync(0);
        Assert.DoesNotContain(secret!, await visit.Page.ContentAsync(), StringComparison.Ordinal);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = $"Withdraw {name}" }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Withdraw key" }).ClickAsync();

        await Expect(visit.Page.GetByRole(AriaRole.Row, new() { Name = name })).ToContainTextAsync("withdrawn");
        Assert.Equal(System.Net.HttpStatusCode.Unauthorized, (await http.GetAsync("/api/v1/robots", TestContext.Current.CancellationToken)).StatusCode);
    }
}
