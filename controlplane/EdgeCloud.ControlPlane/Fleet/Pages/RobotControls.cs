using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.ControlPlane.Shell;
using Microsoft.EntityFrameworkCore;
using Radzen;

namespace EdgeCloud.ControlPlane.Fleet.Pages;

/// <summary>
/// What the user of a page does with a robot, on its page and in its row of the fleet alike: asks what has to be asked, looks at the role, and
/// does it.
/// </summary>
public sealed class RobotControls(
    CommandIssuer issuer, Tagging tagging, DialogService dialogs, SignedIn user, IDbContextFactory<CatalogueDb> catalogue)
{
    // An offline robot may come back after lunch; one that is there answers in seconds or not at all.
    private const int OnlineExpirySeconds = 300;
    private const int OfflineExpirySeconds = 3600;

    /// <summary>Asks for a session's name and topics; null when none is wanted.</summary>
    public async Task<CommandRequest?> AskStartAsync(string robot, bool online)
    {
        await using var db = await catalogue.CreateDbContextAsync();
        var state = await db.Robots.Where(r => r.Id == robot).Select(r => r.State).SingleOrDefaultAsync();
        var answer = await dialogs.OpenAsync<StartDialog>($"Start a session on {robot}",
            new Dictionary<string, object?> { [nameof(StartDialog.Offered)] = state?.Topics ?? [], [nameof(StartDialog.Online)] = online },
            new DialogOptions { Width = "560px", CloseDialogOnOverlayClick = false });
        return answer is StartDialog.StartRequest start
            ? new CommandRequest { Command = CommandKind.Start, Name = start.Name, Selection = start.Selection, StartPaused = start.Paused }
            : null;
    }

    /// <summary>Names what a cancel gives up; null when the session is kept.</summary>
    public async Task<CommandRequest?> AskCancelAsync(string robot, SessionStatus session)
    {
        var cost = await CancelCost.OfAsync(catalogue, session.Session, CancellationToken.None);
        var answer = await dialogs.OpenAsync<CancelDialog>($"Cancel {Formats.SessionName(session.Name, session.Session)}?",
            new Dictionary<string, object?> { [nameof(CancelDialog.Robot)] = robot, [nameof(CancelDialog.Cost)] = cost },
            new DialogOptions { Width = "480px", AutoFocusFirstElement = false });
        return answer is true ? new CommandRequest { Command = CommandKind.Cancel, Session = session.Session } : null;
    }

    /// <summary>Stores a command; what becomes of it the robot tells.</summary>
    /// <exception cref="RequestException">The role does not include it, or no robot can carry it out.</exception>
    public async Task<Command> SendAsync(string robot, bool online, CommandRequest request) => await issuer.IssueAsync(
        robot, request with { ExpiresInSeconds = online ? OnlineExpirySeconds : OfflineExpirySeconds },
        await user.RequireAsync(Policies.Command), CancellationToken.None);

    /// <summary>Puts tags on the robot and takes them off; returns the tags that there are then.</summary>
    /// <exception cref="RequestException">The role does not include it, or a tag is not allowed.</exception>
    public async Task<string[]> TagAsync(string robot, IReadOnlyList<string> add, IReadOnlyList<string> remove) =>
        await tagging.TagRobotAsync(robot, add, remove, await user.RequireAsync(Policies.Annotate), CancellationToken.None);
}
