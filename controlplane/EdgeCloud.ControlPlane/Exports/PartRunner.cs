using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// Runs one part from claim to end. While it works it renews the claim; whoever lost the claim stops, and has its last word refused by
/// the fencing token.
/// </summary>
internal sealed partial class PartRunner(
    PartClaims claims, PartEnds ends, PartWork work, SpillFolder spill, ExportMetrics metrics, TimeProvider clock, ILogger<PartRunner> log)
{
    private static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(1);

    /// <summary>Without a renewal for so long, the work stops by itself: another may have the part.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    /// <summary>Runs a part. What goes wrong is on the part's row, never an exception but when the database is away.</summary>
    public async Task RunAsync(Guid export, int number, CancellationToken stopping)
    {
        if (await claims.ClaimAsync(export, number) is not { } claim)
            return;
        Begins(log, export, number, claim.Part.Name, claim.Part.Attempts);
        using var scratch = spill.Open();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var renewing = new CancellationTokenSource();
        var renewal = RenewAsync(claim, scratch, stop, renewing.Token);
        PartEnd? end;
        try
        {
            end = await MakeAsync(claim, scratch, stop.Token, stopping);
        }
        finally
        {
            await renewing.CancelAsync();
            await renewal.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (end is null)
            Lost(log, export, number);
        else
            await StoreAsync(claim, end);
    }

    private async Task<PartEnd?> MakeAsync(PartClaim claim, SpillFolder.Scratch scratch, CancellationToken stop, CancellationToken stopping)
    {
        try
        {
            return await work.MakeAsync(claim, scratch.Path, stop);
        }
        catch (Exception e) when (SpillFolder.IsFull(e))
        {
            return new PartEnd.Later(spill.FullMessage);
        }
        catch (ExportException e)
        {
            return new PartEnd.Failed(e.Message);
        }
        catch (BucketUnavailableException e)
        {
            return new PartEnd.Later(e.Message);
        }
        catch (PartLostException)
        {
            return null;
        }
        catch (Exception e) when (e is OperationCanceledException or ObjectDisposedException && stop.IsCancellationRequested)
        {
            // The process ends: another takes it up at once. Or it took too much of the disk. Or it was lost or given up.
            return stopping.IsCancellationRequested ? new PartEnd.HandedOver()
                : scratch.IsOverLimit ? new PartEnd.Failed(spill.LimitMessage)
                : null;
        }
        catch (Exception e) when (!Postgres.IsTransient(e))
        {
            // A defect that one part brings to light ends that part and not the worker, again and again.
            Defect(log, claim.Export.Id, claim.Part.Number, e);
            return new PartEnd.Failed($"Something went wrong that should not be possible ({e.GetType().Name}: {e.Message}); the log of {PartClaims.Worker} has the rest.");
        }
    }

    /// <summary>Stores the end, however long the database is away: nobody takes the part up meanwhile.</summary>
    private async Task StoreAsync(PartClaim claim, PartEnd end)
    {
        metrics.Ended(claim.Part.Kind, SnakeCaseNames.Of(end.GetType().Name), claim.Progress.InputBytesDone);
        while (true)
        {
            try
            {
                if (await ends.StoreAsync(claim, end, CancellationToken.None))
                    Ends(log, claim.Export.Id, claim.Part.Number, end.GetType().Name, (end as PartEnd.Failed)?.Error ?? (end as PartEnd.Later)?.Error ?? "");
                else
                    Lost(log, claim.Export.Id, claim.Part.Number);
                return;
            }
            catch (BucketUnavailableException e)
            {
                end = new PartEnd.Later(e.Message);
            }
            catch (ExportException e)
            {
                end = new PartEnd.Failed(e.Message);
            }
            catch (Exception e) when (Postgres.IsTransient(e) && end is not PartEnd.HandedOver)
            {
                DatabaseAway(log, claim.Export.Id, claim.Part.Number, e.GetBaseException().Message);
                await Task.Delay(RenewInterval, clock);
            }
        }
    }

    /// <summary>Renews the claim and stores the progress; stops the work when it is lost or takes more of the disk than it may.</summary>
    private async Task RenewAsync(PartClaim claim, SpillFolder.Scratch scratch, CancellationTokenSource stop, CancellationToken cancellation)
    {
        var renewed = clock.GetTimestamp();
        while (true)
        {
            await Task.Delay(RenewInterval, clock, cancellation);
            try
            {
                if (!await claims.RenewAsync(claim, cancellation))
                    break;
                renewed = clock.GetTimestamp();
            }
            catch (Exception e) when (Postgres.IsTransient(e))
            {
                if (clock.GetElapsedTime(renewed) > Patience)
                    break;
            }
            if (scratch.Measure())
                break;
        }
        await stop.CancelAsync();
    }

    [LoggerMessage(EventId = 5400, Level = LogLevel.Information, Message = "Export {Export}: part {Number} ({Name}) begins, attempt {Attempt}")]
    private static partial void Begins(ILogger log, Guid export, int number, string name, int attempt);

    [LoggerMessage(EventId = 5401, Level = LogLevel.Information, Message = "Export {Export}: part {Number} {End} {Error}")]
    private static partial void Ends(ILogger log, Guid export, int number, string end, string error);

    [LoggerMessage(EventId = 5402, Level = LogLevel.Warning, Message = "Export {Export}: part {Number} was taken up by another worker or given up; what was made here is dropped")]
    private static partial void Lost(ILogger log, Guid export, int number);

    [LoggerMessage(EventId = 5405, Level = LogLevel.Warning, Message = "Export {Export}: the end of part {Number} waits for the database: {Reason}")]
    private static partial void DatabaseAway(ILogger log, Guid export, int number, string reason);

    [LoggerMessage(EventId = 5403, Level = LogLevel.Error, Message = "Export {Export}: part {Number} failed for a reason that nobody foresaw")]
    private static partial void Defect(ILogger log, Guid export, int number, Exception e);
}
