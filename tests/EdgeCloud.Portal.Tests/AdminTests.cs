using EdgeCloud.ControlPlane.Access;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EdgeCloud.Portal.Tests;

/// <summary>The administrator's pages: only theirs, and what they do there has its effect.</summary>
[Collection(PortalCollection.Name)]
public sealed class AdminTests(Portal portal)
{
    [Theory]
    [InlineData(Roles.Viewer)]
    [InlineData(Roles.DataScientist)]
    [InlineData(Roles.Operator)]
    public async Task Nobody_else_sees_them(string role)
    {
        await using var visit = await portal.VisitAsAsync(role, "/fleet");
        await Expect(visit.Page.GetByRole(AriaRole.Link, new() { Name = "Admin" })).ToHaveCountAsync(0);
        foreach (var page in new[] { "users", "webhooks", "audit", "system" })
        {
            visit.ExpectComplaints();
            await visit.Page.GotoAsync($"/admin/{page}");
            await Expect(visit.Page.GetByTestId(page)).ToHaveCountAsync(0);
            Assert.Contains("/denied", visit.Page.Url, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_user_is_made_signs_in_with_a_first_password_and_gets_no_further_before_choosing_another()
    {
        var name = $"eve-{Guid.NewGuid():N}"[..12];
        await using var admin = await portal.VisitAsAsync(Roles.Administrator, "/admin/users");
        await admin.Page.GetByLabel("Name of the new user").FillAsync(name);
        await admin.Page.GetByLabel("Role", new() { Exact = true }).SelectOptionAsync(Roles.Operator);
        await admin.Page.GetByRole(AriaRole.Button, new() { Name = "Create user" }).ClickAsync();
        var first = await admin.Page.GetByTestId("new-password").GetByRole(AriaRole.Button, new() { Name = "Copy password" }).GetAttributeAsync("data-copy");

        await using var visit = await portal.VisitAsync();
        await visit.Page.GotoAsync("/login");
        await visit.SignInAsync(name, first!);
        await visit.Page.WaitForURLAsync("**/account/password");
        await visit.Page.GotoAsync("/sessions");
        await visit.Page.WaitForURLAsync("**/account/password");
        await visit.Page.GetByLabel("Present password").FillAsync(first!);
        await visit.Page.Locator("[name='Form.Chosen']").FillAsync("a password of my own");
        await visit.Page.Locator("[name='Form.Again']").FillAsync("a password of my own");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Change password" }).ClickAsync();
        await visit.Page.WaitForURLAsync("**/fleet");

        await admin.GoAsync($"/admin/audit?actor=user:{name}");
        await Expect(admin.Page.GetByTestId("audit")).ToContainTextAsync("password.change");
        await admin.GoAsync("/admin/users");
        await admin.Page.GetByRole(AriaRole.Button, new() { Name = $"Delete {name}" }).ClickAsync();
        await admin.Page.GetByRole(AriaRole.Button, new() { Name = "Delete user" }).ClickAsync();
        await Expect(admin.Page.GetByTestId("users")).Not.ToContainTextAsync(name);
    }

    [Fact]
    public async Task A_webhook_is_made_with_a_secret_shown_once_and_markup_in_its_name_is_text()
    {
        var name = $"<img src=x onerror=alert(1)> {Guid.NewGuid():N}"[..40];
        await using var visit = await portal.VisitAsAsync(Roles.Administrator, "/admin/webhooks");
        await visit.Page.GetByLabel("Name of the new webhook").FillAsync(name);
        await visit.Page.GetByLabel("Address").FillAsync("http://127.0.0.1:1/inside");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Create webhook" }).ClickAsync();
        await Expect(visit.Page.GetByRole(AriaRole.Alert)).ToContainTextAsync("closed network");
        await visit.Page.GetByLabel("Address").FillAsync("https://example.com/hook");
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Create webhook" }).ClickAsync();

        await Expect(visit.Page.GetByTestId("new-secret")).ToContainTextAsync("whsec_");
        await Expect(visit.Page.GetByTestId("webhooks")).ToContainTextAsync(name);
        await Expect(visit.Page.Locator("[data-testid=webhooks] img")).ToHaveCountAsync(0);
        await visit.GoAsync("/admin/webhooks");
        await Expect(visit.Page.GetByTestId("new-secret")).ToHaveCountAsync(0);
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = $"Delete {name}" }).ClickAsync();
        await visit.Page.GetByRole(AriaRole.Button, new() { Name = "Delete webhook" }).ClickAsync();
        await Expect(visit.Page.GetByText(name)).ToHaveCountAsync(0);
    }
}
