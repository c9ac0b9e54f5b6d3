using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Shell;
using Microsoft.EntityFrameworkCore;
using Radzen;

namespace EdgeCloud.ControlPlane.Sessions.Pages;

/// <summary>
/// What the user of a page does with a session, on its page and in its row of the list alike: asks what has to be asked, looks at the role, and
/// does it.
/// </summary>
public sealed class SessionControls(
    SessionDeletion deletion, Tagging tagging, DialogService dialogs, SignedIn user, IDbContextFactory<CatalogueDb> catalogue)
{
    /// <summary>Names what a deletion costs and deletes; null when the session is kept.</summary>
    /// <exception cref="RequestException">The role does not include it, or the session cannot be deleted.</exception>
    public async Task<Session?> DeleteAsync(Guid id)
    {
        await using var db = await catalogue.CreateDbContextAsync();
        var session = await db.Sessions.AsNoTracking().SingleOrDefaultAsync(s => s.Id == id) ?? throw RequestException.NotFound($"There is no session {id}.");
        var totals = await SessionTotals.OfAsync(db, [session], CancellationToken.None);
        var answer = await dialogs.OpenAsync<DeleteDialog>("Delete this session?",
            new Dictionary<string, object?>
            {
                [nameof(DeleteDialog.Name)] = Formats.SessionName(session.Name, id),
                [nameof(DeleteDialog.Totals)] = totals.GetValueOrDefault(id, SessionTotals.None),
                [nameof(DeleteDialog.Grace)] = deletion.Grace,
            },
            new DialogOptions { Width = "480px", AutoFocusFirstElement = false });
        return answer is true ? await deletion.DeleteAsync(id, await user.RequireAsync(Policies.Delete), CancellationToken.None) : null;
    }

    /// <summary>Brings a deleted session back.</summary>
    /// <exception cref="RequestException">The role does not include it, or it is too late.</exception>
    public async Task<Session> RestoreAsync(Guid id) =>
        await deletion.RestoreAsync(id, await user.RequireAsync(Policies.Delete), CancellationToken.None);

    /// <summary>Puts tags on the session and takes them off; returns the tags that there are then.</summary>
    /// <exception cref="RequestException">The role does not include it, or a tag is not allowed.</exception>
    public async Task<string[]> TagAsync(Guid id, IReadOnlyList<string> add, IReadOnlyList<string> remove) =>
        await tagging.TagSessionAsync(id, add, remove, await user.RequireAsync(Policies.Annotate), CancellationToken.None);
}
