using EdgeCloud.ControlPlane.Access;
using Microsoft.Playwright;
using static Microsoft.Playwright.Assertions;

namespace EdgeCloud.Portal.Tests;

/// <summary>The administrator's pages are only theirs.</summary>
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
}
