using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;
using Quartz;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>
/// Hands parts that are due to the scheduler, which spreads them over the workers. Every worker does this, at every change and now and
/// then: what is due is in the catalogue, and a part that is handed over twice is scheduled once. So a schedule that was lost is made
/// again, and exports may be asked for while no worker runs.
/// </summary>
internal sealed partial class ExportDispatch(
    IDbContextFactory<CatalogueDb> catalogue, Changes changes, ISchedulerFactory schedulers, ExportPolicy policy, WorkerSettings settings,
    SpillFolder spill, ExportMetrics metrics, ILogger<ExportDispatch> log) : BackgroundService
{
    /// <summary>Group of the jobs in the scheduler; a job's name is <c>{export id}/{part}</c>.</summary>
    public const string Group = "exports";

    private const int StartLock = 0x45780001;
    /// <summary>Parts of one export that wait in the scheduler at a time, so that a large export does not keep small ones waiting.</summary>
    private const int PartsInFlight = 16;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        spill.Clean();
        var scheduler = await schedulers.GetScheduler(stoppingToken);
        var isSwept = false;
        await using var news = changes.Subscribe(c => c.Concerns(ChangeKind.Export), stoppingToken, Interval / 4).GetAsyncEnumerator(stoppingToken);
        var next = news.MoveNextAsync().AsTask();
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (!isSwept)
                    await ScheduleSweepAsync(scheduler, stoppingToken);
                isSwept = true;
                await DispatchAsync(scheduler, stoppingToken);
            }
            catch (Exception e) when (Postgres.IsTransient(e) || (e is SchedulerException && !stoppingToken.IsCancellationRequested))
            {
                DatabaseAway(log, e.GetBaseException().Message);
            }
            await Task.WhenAny(next, Task.Delay(Interval, stoppingToken));
            if (next.IsCompletedSuccessfully && !stoppingToken.IsCancellationRequested)
                next = news.MoveNextAsync().AsTask();
        }
        await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private async Task ScheduleSweepAsync(IScheduler scheduler, CancellationToken cancellation)
    {
        var every = SimpleScheduleBuilder.Create().WithInterval(settings.Sweep).RepeatForever();
        await scheduler.ScheduleJob(
            JobBuilder.Create<ExportSweep>().WithIdentity(ExportSweep.Key).Build(),
            TriggerBuilder.Create().WithIdentity(ExportSweep.Key.Name, ExportSweep.Key.Group).WithSchedule(every).StartNow().Build(),
            ScheduleJobOptions.Replacing, cancellation);
    }

    private async Task DispatchAsync(IScheduler scheduler, CancellationToken cancellation)
    {
        await using (var db = await catalogue.CreateDbContextAsync(cancellation))
            await BeginAsync(db, policy, cancellation);
        var due = await DueAsync(cancellation);
        metrics.Waiting(due.Count);
        foreach (var (export, number) in due)
        {
            var key = new JobKey($"{export:D}/{number}", Group);
            if (await scheduler.Exists(key, cancellation))
                continue;
            var job = JobBuilder.Create<ExportPartRun>().WithIdentity(key).RequestRecovery().Build();
            var trigger = TriggerBuilder.Create().WithIdentity(key.Name, Group).WithExecutionGroup(Group).StartNow().Build();
            try
            {
                await scheduler.ScheduleJob(job, trigger, cancellationToken: cancellation);
            }
            catch (ObjectAlreadyExistsException)
            {
                // Another worker was quicker.
            }
        }
    }

    /// <summary>Begins exports that wait, the oldest first, as many at a time of each user as the policy allows.</summary>
    internal static Task BeginAsync(CatalogueDb db, ExportPolicy policy, CancellationToken cancellation) =>
        db.Database.ExecuteSqlAsync(
            $"""
            with mine as (select pg_try_advisory_xact_lock({StartLock}) as is_locked),
            counted as (
                select e.id, e.state,
                       row_number() over (partition by split_part(split_part(e.owner, ':', 2), '/', 1), e.state order by e.created_at, e.id) as place,
                       count(*) filter (where e.state = 'running') over (partition by split_part(split_part(e.owner, ':', 2), '/', 1)) as running
                from exports e where e.state in ('queued', 'running'))
            update exports set state = 'running', started_at = coalesce(started_at, now())
            where state = 'queued' and (select is_locked from mine)
              and id in (select id from counted where state = 'queued' and place + running <= {policy.RunningPerUser})
            """,
            cancellation);

    /// <summary>Parts that may be run now, or whose worker has been silent so long that the scheduler, too, must have forgotten them.</summary>
    private async Task<IReadOnlyList<(Guid Export, int Number)>> DueAsync(CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var silent = 10 * settings.Checkin;
        var due = await db.ExportParts.FromSql(
            $"""
            select q.* from (
                select p.*, row_number() over (partition by p.export_id order by p.number) as place
                from export_parts p join exports e on e.id = p.export_id
                where e.state = 'running' and p.due_at <= now()
                  and (p.state = 'queued' or (p.state = 'running' and p.heartbeat_at < now() - {silent}))
                  and (p.kind <> 'assembly' or not exists (
                      select 1 from export_parts o
                      where o.export_id = p.export_id and o.kind <> 'assembly' and o.state in ('queued', 'running')))) q
            where q.place <= {PartsInFlight}
            order by q.due_at, q.number
            """).AsNoTracking().Select(p => new { p.ExportId, p.Number }).ToListAsync(cancellation);
        return [.. due.Select(p => (p.ExportId, p.Number))];
    }

    [LoggerMessage(EventId = 5404, Level = LogLevel.Warning, Message = "Exports wait for the database: {Reason}")]
    private static partial void DatabaseAway(ILogger log, string reason);
}

/// <summary>The scheduler's job: one part. Run again by another worker when this one dies.</summary>
[DisallowConcurrentExecution]
internal sealed class ExportPartRun(PartRunner runner, IHostApplicationLifetime host) : IJob
{
    public async ValueTask Execute(IJobExecutionContext context, CancellationToken cancellationToken = default)
    {
        // The scheduler interrupts what it runs when it is told to end, and still begins what it had taken by then.
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, host.ApplicationStopping);
        if (stop.IsCancellationRequested)
            return;
        var name = context.JobDetail.Key.Name.Split('/');
        await runner.RunAsync(Guid.ParseExact(name[0], "D"), int.Parse(name[1], System.Globalization.CultureInfo.InvariantCulture), stop.Token);
    }
}
