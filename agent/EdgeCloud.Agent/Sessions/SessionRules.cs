using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Sessions;

/// <summary>Which command may follow which state. The words of a refusal go to whoever asked.</summary>
internal static class SessionRules
{
    /// <summary>Null when <paramref name="command"/> is legal in <paramref name="state"/>, else the reason why it is not.</summary>
    public static string? Refusal(SessionState state, CommandKind command) => (state, command) switch
    {
        (SessionState.Recording, CommandKind.Pause or CommandKind.Finish or CommandKind.Cancel) => null,
        (SessionState.Paused, CommandKind.Resume or CommandKind.Finish or CommandKind.Cancel) => null,
        (SessionState.Finishing, CommandKind.Cancel) => null,
        (SessionState.Recording or SessionState.Paused or SessionState.Finishing or SessionState.Failed, CommandKind.Fetch) => null,
        (SessionState.Recording or SessionState.Paused, CommandKind.Trigger) => null,
        (SessionState.Recording, CommandKind.Resume) => "the session is recording already",
        (SessionState.Paused, CommandKind.Pause) => "the session is paused already",
        (SessionState.Finishing, _) => "the session is finishing: only cancel is possible",
        (SessionState.Finished, _) => "the session is finished",
        (SessionState.Cancelled, _) => "the session was cancelled",
        (SessionState.Failed, _) => "the session failed",
        _ => $"{command.ToString().ToLowerInvariant()} is not a command for a session",
    };

    /// <summary>Recording or paused: the session listens to the source.</summary>
    public static bool IsLive(this SessionState state) => state is SessionState.Recording or SessionState.Paused;
}
