using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// Makes exports, one at a time. A job is claimed with a lease that is renewed while the work goes on, so that the job of a worker that
/// died is taken up again; whoever lost the lease stops, and has its last word refused by the number of the attempt.
/// </summary>
internal sealed partial class ExportWorker(
    IDbContextFactory<CatalogueDb> catalogue, Bucket bucket, ExportSignal signal, TimeProvider clock, ILogger<ExportWorker> log)
    : BackgroundService
{
    private static readonly TimeSpan PollInterval = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan RenewInterval = TimeSpan.FromSeconds(1);

    private readonly ExportLeases _leases = new(catalogue, $"{Environment.MachineName}/{Environment.ProcessId}");

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (await _leases.ClaimAsync(stoppingToken) is { } lease)
                    await WorkAsync(lease, stoppingToken);
                else
                    await signal.WaitAsync(PollInterval, clock, stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e) when (Postgres.IsTransient(e))
            {
                // Whatever was under way is taken up again when its lease has run out.
                DatabaseAway(log, e.GetBaseException().Message);
                await Task.Delay(PollInterval, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task WorkAsync(ExportLease lease, CancellationToken stopping)
    {
        Begins(log, lease.Export.Id, lease.Attempt);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        using var renewing = CancellationTokenSource.CreateLinkedTokenSource(stopping);
        var renewal = RenewAsync(lease, stop, renewing.Token);
        ExportEnd end;
        try
        {
            end = await MakeAsync(lease, stop.Token);
        }
        catch (ExportException e)
        {
            end = ExportEnd.Failed(e.Message);
        }
        catch (BucketUnavailableException e)
        {
            end = lease.IsLastAttempt ? ExportEnd.Failed($"After {lease.Attempt} attempts: {e.Message}") : ExportEnd.Later(e.Message);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            // The process ends: another takes it up at once. Or a user cancelled it. Or the lease is lost, and this is not stored.
            end = stopping.IsCancellationRequested ? ExportEnd.HandedOver : ExportEnd.Cancelled;
        }
        catch (Exception e) when (!Postgres.IsTransient(e))
        {
            // A defect that one job brings to light ends that job and not the control plane, again and again.
            Defect(log, lease.Export.Id, e);
            end = ExportEnd.Failed($"Something went wrong that should not be possible ({e.GetType().Name}: {e.Message}); the log has the rest.");
        }
        finally
        {
            await renewing.CancelAsync();
            await renewal.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        if (await _leases.EndAsync(lease, end, CancellationToken.None))
            Ends(log, lease.Export.Id, end.State, end.Error);
        else if (end.State == ExportState.Succeeded)
            await bucket.DeleteAsync(end.ObjectKey, CancellationToken.None);
    }

    private async Task<ExportEnd> MakeAsync(ExportLease lease, CancellationToken cancellation)
    {
        var (plan, fileName) = await PlanAsync(lease, cancellation);
        await bucket.AbortUploadsAsync(ObjectKeys.Export(plan.Id), cancellation);
        var key = $"{ObjectKeys.Export(plan.Id)}{lease.Attempt}/{fileName}";
        var export = new Exporter(
            plan, (segment, _) => ValueTask.FromResult<Mcap.Reading.IByteSource>(new S3ByteSource(bucket, segment, clock)), Path.GetTempPath());
        var whole = plan with { Settings = plan.Settings with { PartBytes = long.MaxValue } };
        var made = await export.MakePartAsync(whole.Parts()[0], new ObjectSink(bucket, key, plan.InputBytes()), lease, cancellation);
        lease.Report(new ExportProgress(plan.InputBytes(), made.Messages(), made.Bytes()));
        return ExportEnd.Succeeded(key, fileName);
    }

    /// <summary>One object, whatever its file is called.</summary>
    private sealed class ObjectSink(Bucket bucket, string key, long estimatedBytes) : IExportSink
    {
        public async ValueTask<ExportOutput> CreateAsync(string name, string contentType, CancellationToken cancellation) =>
            await MultipartStream.BeginAsync(bucket, key, contentType, estimatedBytes, cancellation);
    }

    private async Task<(ExportPlan Plan, string FileName)> PlanAsync(ExportLease lease, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var plan = await ExportPlanner.PlanAsync(db, lease.Export, cancellation);
        await _leases.StorePlanAsync(lease, plan, cancellation);
        return (plan, await ExportPlanner.FileNameAsync(db, plan, cancellation));
    }

    /// <summary>Renews the lease and stores the progress until it is stopped; stops the work when it is cancelled or the lease is lost.</summary>
    private async Task RenewAsync(ExportLease lease, CancellationTokenSource work, CancellationToken cancellation)
    {
        var renewed = clock.GetTimestamp();
        while (true)
        {
            await Task.Delay(RenewInterval, clock, cancellation);
            try
            {
                if (!await _leases.RenewAsync(lease, cancellation))
                {
                    await work.CancelAsync();
                    return;
                }
                renewed = clock.GetTimestamp();
            }
            catch (Exception e) when (Postgres.IsTransient(e))
            {
                // While the lease may still hold, the work goes on; after that another worker may have the job.
                if (clock.GetElapsedTime(renewed) < ExportLeases.Duration)
                    continue;
                await work.CancelAsync();
                return;
            }
        }
    }

    [LoggerMessage(EventId = 5400, Level = LogLevel.Information, Message = "Export {Export} begins (attempt {Attempt})")]
    private static partial void Begins(ILogger log, Guid export, int attempt);

    [LoggerMessage(EventId = 5401, Level = LogLevel.Information, Message = "Export {Export}: {State} {Error}")]
    private static partial void Ends(ILogger log, Guid export, ExportState state, string error);

    [LoggerMessage(EventId = 5403, Level = LogLevel.Error, Message = "Export {Export} failed for a reason that nobody foresaw")]
    private static partial void Defect(ILogger log, Guid export, Exception e);

    [LoggerMessage(EventId = 5402, Level = LogLevel.Warning, Message = "Exports wait for the database: {Reason}")]
    private static partial void DatabaseAway(ILogger log, string reason);
}
