using EdgeCloud.Agent.Sessions;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Control;

/// <summary>
/// Takes commands one after the other and answers each: accepted or rejected, then how it ended. What was accepted is on disk before it is
/// begun; after a crash it is looked at again, and since every command leads to a state, doing it again does nothing twice.
/// </summary>
internal sealed partial class CommandDesk(
    string robot, SessionDesk sessions, EventDesk events, SessionBook book, CommandMemory memory, RunTimeSettings settings, DeliveryWatch delivery,
    TimeProvider clock, ILogger log)
{
    private const string NoStore = "this agent has no s3 section: it uploads nothing";

    /// <summary>Told of each answer, in order, to be sent.</summary>
    public event Action<CommandAck>? Answered;

    /// <summary>Told by the command <c>status</c>.</summary>
    public event Action? StatusAsked;

    /// <summary>Ends what a crash interrupted.</summary>
    public async Task SettleUnfinishedAsync()
    {
        foreach (var interrupted in memory.Unfinished)
            await CarryOutAsync(interrupted.Command with { Session = interrupted.Answer.Session }, again: true);
    }

    /// <summary>Handles a command that arrived.</summary>
    public async Task HandleAsync(CommandMessage command)
    {
        if (memory.Find(command.Id) is { } known)
        {
            Answered?.Invoke(known.Answer);
            return;
        }
        LogReceived(command.Command, command.Id, command.Issuer);
        if (clock.NowNs() >= command.ExpiresNs)
        {
            Answer(command, CommandStatus.Expired, "it arrived after its expiry");
            return;
        }
        try
        {
            command = Admit(command);
        }
        catch (RefusedException e)
        {
            LogRejected(command.Command, command.Id, e.Message);
            Answer(command, CommandStatus.Rejected, e.Message);
            return;
        }
        if (Remember(command, CommandStatus.Accepted, "") is { } refusal)
        {
            LogFailed(command.Command, command.Id, refusal);
            Answer(command, CommandStatus.Failed, refusal);
            return;
        }
        await CarryOutAsync(command, again: false);
    }

    /// <summary>The command with its session filled in.</summary>
    /// <exception cref="RefusedException">It cannot be carried out now.</exception>
    private CommandMessage Admit(CommandMessage command)
    {
        switch (command.Command)
        {
            case CommandKind.Start when command.Session is not { } id:
                throw new RefusedException("start needs the id of the new session");
            case CommandKind.Start when book.Find(command.Session.Value) is not null:
                throw new RefusedException($"session {command.Session} exists already");
            case CommandKind.Start when command.Ring is { IsValid: false }:
                throw new RefusedException($"a ring needs {RingSettings.Rule}");
            case CommandKind.Start when command.Upload is { } policy && !settings.KnowsPolicy(policy):
                throw new RefusedException($"this robot has no upload policy '{policy}'; it has {settings.Policies}");
            case CommandKind.Start or CommandKind.Status:
                return command;
            case CommandKind.Sync or CommandKind.Fetch when !delivery.IsPossible:
                throw new RefusedException(NoStore);
            case CommandKind.Sync:
                return command;
            case CommandKind.Configure:
                settings.Check(command.Settings);
                return command;
        }
        var session = sessions.Resolve(command.Session);
        if (SessionRules.Refusal(session.State, command.Command) is { } reason)
            throw new RefusedException(reason);
        return command with { Session = session.Id };
    }

    private async Task CarryOutAsync(CommandMessage command, bool again)
    {
        try
        {
            if (command.Command is CommandKind.Sync or CommandKind.Fetch)
            {
                await DeliverAsync(command);
                return;
            }
            var words = again && IsDone(command) ? "" : await CarryOutOnceAsync(command);
            Answer(command, CommandStatus.Succeeded, words);
        }
        catch (RefusedException e)
        {
            LogFailed(command.Command, command.Id, e.Message);
            Answer(command, CommandStatus.Failed, e.Message);
        }
        catch (IOException e)
        {
            LogFailed(command.Command, command.Id, e.Message);
            Answer(command, CommandStatus.Failed, e.Message);
        }
    }

    /// <summary>Seals what is meant and has it delivered; <see cref="DeliveryWatch"/> answers when it is.</summary>
    private async Task DeliverAsync(CommandMessage command)
    {
        // What was accepted may be carried out again by an agent that is configured otherwise.
        if (!delivery.IsPossible)
            throw new RefusedException(NoStore);
        if (command.Command is CommandKind.Sync)
        {
            delivery.Watch(command, await sessions.SealAsync());
            return;
        }
        var session = sessions.Resolve(command.Session);
        var range = command.Range ?? new TimeRange(null, null);
        session.Request(range);
        // What was asked for may be in the segment that is open.
        var ends = session.State.IsLive() && range.Overlaps(session.Segments is [.., var last] ? last.State.LogTimeEndNs : 0, long.MaxValue);
        delivery.Watch(command, ends
            ? await sessions.SealAsync(session)
            : new Dictionary<Session, int> { [session] = session.Segments.Count == 0 ? 0 : session.Segments[^1].Sequence });
    }

    /// <summary>Answers what there is to say about the success.</summary>
    private async Task<string> CarryOutOnceAsync(CommandMessage command)
    {
        switch (command.Command)
        {
            case CommandKind.Start:
                await sessions.StartAsync(command.Session!.Value, command.Name, command.Selection ?? TopicSelection.All, command.Issuer, command.StartPaused,
                    upload: command.Upload ?? UploadPolicy.Now, priority: command.Priority, ring: command.Ring, boundMs: command.BoundMs);
                return "";
            case CommandKind.Pause:
                await sessions.PauseAsync(sessions.Resolve(command.Session));
                return "";
            case CommandKind.Resume:
                await sessions.ResumeAsync(sessions.Resolve(command.Session));
                return "";
            case CommandKind.Cancel:
                await sessions.CancelAsync(sessions.Resolve(command.Session), $"cancelled by {command.Issuer}");
                return "";
            case CommandKind.Finish:
                var session = sessions.Resolve(command.Session);
                Answer(command, CommandStatus.Progress, "sealing the last segment");
                await sessions.FinishAsync(session);
                return $"segments left to deliver: {session.Segments.Count(s => !s.IsSettled)}";
            case CommandKind.Trigger:
                var clip = events.Trigger(sessions.Resolve(command.Session), command.Span ?? new TriggerSpan(),
                    new TriggerNote { AtNs = 0, Reason = command.Name, Issuer = command.Issuer, Command = command.Id });
                return $"event {clip.Id}";
            case CommandKind.Configure:
                settings.Apply(command.Settings!);
                return "";
            default:
                StatusAsked?.Invoke();
                return "";
        }
    }

    /// <summary>True when an interrupted command had already led to its state.</summary>
    private bool IsDone(CommandMessage command) =>
        command.Session is { } id && book.Find(id) is { } session && (command.Command, session.State) is
            (CommandKind.Start, _)
            or (CommandKind.Pause, SessionState.Paused)
            or (CommandKind.Resume, SessionState.Recording)
            or (CommandKind.Finish, SessionState.Finishing or SessionState.Finished)
            or (CommandKind.Cancel, SessionState.Cancelled);

    /// <summary>
    /// Stores an answer and tells that it is to be sent, also when the disk refuses it: then a restart looks at the command again, and doing it again
    /// does nothing twice.
    /// </summary>
    public void Answer(CommandMessage command, CommandStatus status, string reason, double? percent = null)
    {
        if (Remember(command, status, reason, percent) is { } refusal)
        {
            LogNotWritten(command.Command, command.Id, refusal);
            Answered?.Invoke(memory.Find(command.Id)!.Answer);
        }
    }

    /// <summary>Stores an answer and tells that it is to be sent; answers why the disk does not take it, and then nothing is told.</summary>
    private string? Remember(CommandMessage command, CommandStatus status, string reason, double? percent = null)
    {
        var answer = new CommandAck
        {
            Robot = robot,
            Id = command.Id,
            Status = status,
            Reason = reason,
            Session = command.Session,
            Percent = percent,
            TimeNs = clock.NowNs(),
        };
        try
        {
            memory.Answer(command, answer);
        }
        catch (IOException e)
        {
            return e.Message;
        }
        Answered?.Invoke(answer);
        return null;
    }

    [LoggerMessage(EventId = 401, Level = LogLevel.Information, Message = "Command {Kind} ({Id}) from {Issuer}")]
    private partial void LogReceived(CommandKind kind, Guid id, string issuer);

    [LoggerMessage(EventId = 402, Level = LogLevel.Warning, Message = "Command {Kind} ({Id}) rejected: {Reason}")]
    private partial void LogRejected(CommandKind kind, Guid id, string reason);

    [LoggerMessage(EventId = 404, Level = LogLevel.Error, Message = "The answer to command {Kind} ({Id}) cannot be written down: {Error}")]
    private partial void LogNotWritten(CommandKind kind, Guid id, string error);

    [LoggerMessage(EventId = 403, Level = LogLevel.Error, Message = "Command {Kind} ({Id}) failed: {Reason}")]
    private partial void LogFailed(CommandKind kind, Guid id, string reason);
}
