using System.Runtime.InteropServices;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Host;

/// <summary>
/// Records one session into sealed segments and ends, without any network: <c>edgecloud-agent record</c>. The session is left finishing;
/// an agent that runs on the same folder delivers it.
/// </summary>
internal static class RecordOnce
{
    /// <summary>SIGUSR1 pauses the recording or lets it go on: there is no control link that could.</summary>
    private const PosixSignal PauseSignal = (PosixSignal)10;

    /// <summary>Records until the source ends or <paramref name="cancellation"/>; answers the session. What is durable is told to a report, if any.</summary>
    /// <exception cref="StateFileException">The folder cannot be used.</exception>
    /// <exception cref="SourceException">The source broke; what came before is recorded and sealed.</exception>
    public static async Task<Session> RunAsync(
        AgentConfiguration configuration, ISource source, DurableReport? report, Func<string, ILogger> log, CancellationToken cancellation)
    {
        using var folder = DataFolder.Take(configuration.DataDir);
        var (alarms, recorder, clock) = (new Alarms(), new Recorder(new TopicRules(configuration.Recording.Topics)), TimeProvider.System);
        Control.AgentMemory.Open(configuration.DataDir, configuration.Robot, damage => alarms.Raise("memory", damage));
        var book = SessionBook.Open(configuration.DataDir, damage => alarms.Raise("state", damage));
        await using var sessions = new SessionDesk(configuration, book, recorder, alarms, clock, log("sessions"))
        {
            Committed = report is null ? null : report.Tell,
        };
        using var disk = DiskGuard.Of(configuration.Disk, configuration.DataDir, book, recorder, alarms, clock, log("disk"));
        disk.Check();
        var session = await sessions.StartAsync(
            Guid.CreateVersion7(), configuration.Recording.Name, configuration.Recording.Selection, "record",
            configuration.Recording.StartPaused);
        using var toggle = PosixSignalRegistration.Create(PauseSignal, context =>
        {
            context.Cancel = true;
            Toggle(sessions, session);
        });
        using var ended = new CancellationTokenSource();
        var guarding = Tasks.WhenAnyFails(ended.Token, disk.RunAsync, sessions.WatchAsync, sessions.WatchClockAsync);
        try
        {
            await source.RunAsync(recorder, cancellation);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
        }
        finally
        {
            await ended.CancelAsync();
            await guarding;
            await sessions.FinishAsync(session);
        }
        return session;
    }

    /// <summary>Runs on the signal's own thread, which may wait.</summary>
    private static void Toggle(SessionDesk sessions, Session session)
    {
        try
        {
            (session.State is SessionState.Paused ? sessions.ResumeAsync(session) : sessions.PauseAsync(session)).GetAwaiter().GetResult();
            Console.Error.WriteLine($"edgecloud-agent: {(session.State is SessionState.Paused ? "paused" : "recording")}");
        }
        catch (RefusedException)
        {
            // It has just ended: nothing is left to pause.
        }
        catch (IOException e)
        {
            Console.Error.WriteLine($"edgecloud-agent: nothing changes: {e.Message}");
        }
    }
}
