using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Exports;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.ControlPlane.Tests.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Tests.Sessions;

/// <summary>What the portal's components keep passes the same checks as what the API is sent, since both go through the books.</summary>
public sealed class ViewBookTests(CatalogueDatabase catalogue) : IClassFixture<CatalogueDatabase>
{
    [Theory]
    [InlineData("sessions", "", "robot=a", "name")]
    [InlineData("sessions", "two\nlines", "robot=a", "name")]
    [InlineData("nowhere", "mine", "robot=a", "page")]
    [InlineData("sessions", "mine", "robot=\n", "query")]
    public async Task A_view_is_checked(string page, string name, string query, string field)
    {
        var book = new ViewBook(catalogue, TimeProvider.System);
        var refused = await Assert.ThrowsAsync<RequestException>(
            () => book.AddAsync(Guid.NewGuid(), new SavedViewRequest { Page = page, Name = name, Query = query }, default));
        Assert.Equal(field, refused.Field);
        await Assert.ThrowsAsync<RequestException>(
            () => book.AddAsync(Guid.NewGuid(), new SavedViewRequest { Page = "sessions", Name = "long", Query = new string('q', 2001) }, default));
    }

    [Fact]
    public async Task A_recipe_is_checked_and_on_record_and_is_changed_by_its_owner_alone()
    {
        var book = new RecipeBook(catalogue, TimeProvider.System);
        var request = new RecipeRequest { Name = "walks", Request = new ExportRequest { Sessions = [Guid.NewGuid()] } };
        var recipe = await book.AddAsync(request, new Actor("user:alice"), default);

        Assert.Empty(recipe.Request.Sessions);
        await Assert.ThrowsAsync<RequestException>(() => book.AddAsync(request, new Actor("user:bob"), default));
        await Assert.ThrowsAsync<RequestException>(() => book.AddAsync(request with { Name = "two\nlines" }, new Actor("user:bob"), default));
        await Assert.ThrowsAsync<RequestException>(() => book.DeleteAsync(recipe.Id, null, new Actor("user:bob"), default));
        await book.DeleteAsync(recipe.Id, null, new Actor("key:alice/ci"), default);
        await using var db = catalogue.CreateDbContext();
        Assert.Equal(["recipe.create", "recipe.delete"],
            await db.AuditEntries.Where(a => a.Subject == $"recipe:{recipe.Id}").OrderBy(a => a.Id).Select(a => a.Action).ToListAsync());
    }
}
