using System.Threading.Channels;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Fleet;
using EdgeCloud.ControlPlane.Sessions.Preview;
using EdgeCloud.Mqtt;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>Names a segment.</summary>
public readonly record struct SegmentKey(DateOnly Date, Guid Session, int Sequence)
{
    /// <summary>The name of <paramref name="segment"/>.</summary>
    public static SegmentKey Of(Segment segment) => new(segment.SessionDate, segment.SessionId, segment.Sequence);
}

/// <summary>The segments whose objects are to be checked soon. Only a hint: what is not in here is found in the catalogue.</summary>
public sealed class SegmentChecks
{
    private readonly Channel<SegmentKey> _asked = Channel.CreateBounded<SegmentKey>(
        new BoundedChannelOptions(4096) { FullMode = BoundedChannelFullMode.DropWrite });

    /// <summary>Asks for the check of an uploaded segment.</summary>
    public void Ask(SegmentKey segment) => _asked.Writer.TryWrite(segment);

    internal ChannelReader<SegmentKey> Asked => _asked.Reader;
}

/// <summary>
/// Has the object of every uploaded segment checked against its manifest, by <see cref="ObjectCheck"/>, and tells the robot what came of it. An
/// object that is missing or differs sends the segment back; S3 that does not answer says nothing about the object and is asked again. What was left over, by a restart or another replica's end, a sweep finds.
/// </summary>
internal sealed partial class SegmentVerification(
    IDbContextFactory<CatalogueDb> catalogue, ObjectCheck objects, SegmentChecks checks, FleetLink link, FleetMetrics metrics, ExcerptMaker excerpts,
    TimeProvider clock,
    ILogger<SegmentVerification> log) : BackgroundService
{
    private const int Parallel = 4;
    private const int SweepSize = 200;
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SweepAge = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll([SweepAsync(stoppingToken), .. Enumerable.Range(0, Parallel).Select(_ => WorkAsync(stoppingToken))]);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task SweepAsync(CancellationToken cancellation)
    {
        while (true)
        {
            try
            {
                var before = clock.GetUtcNow() - SweepAge;
                await using var db = await catalogue.CreateDbContextAsync(cancellation);
                var left = await db.Segments
                    .Where(s => s.Custody == Custody.Uploaded && s.UpdatedAt < before)
                    .OrderBy(s => s.UpdatedAt)
                    .Take(SweepSize)
                    .Select(s => new SegmentKey(s.SessionDate, s.SessionId, s.Sequence))
                    .ToListAsync(cancellation);
                foreach (var segment in left)
                    checks.Ask(segment);
            }
            catch (Exception e) when (Postgres.IsTransient(e))
            {
                DatabaseAway(log, e.GetBaseException().Message);
            }
            await Task.Delay(SweepInterval, clock, cancellation);
        }
    }

    private async Task WorkAsync(CancellationToken cancellation)
    {
        await foreach (var segment in checks.Asked.ReadAllAsync(cancellation))
        {
            var pause = TimeSpan.FromSeconds(1);
            while (true)
            {
                try
                {
                    await CheckAsync(segment, cancellation);
                    break;
                }
                catch (Exception e) when (e is BucketUnavailableException || Postgres.IsTransient(e))
                {
                    CannotCheck(log, segment.Session, segment.Sequence, e is BucketUnavailableException ? e.Message : e.GetBaseException().Message);
                    await Task.Delay(pause * (0.5 + Random.Shared.NextDouble() / 2), clock, cancellation);
                    pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                }
            }
        }
    }

    private async Task CheckAsync(SegmentKey key, CancellationToken cancellation)
    {
        if (await objects.CheckAsync(key, cancellation) is not var (answer, difference, manifest))
            return;
        metrics.Checked(difference.Length == 0);
        if (difference.Length == 0)
            excerpts.Prepare(key, manifest);
        if (difference.Length > 0)
            Differs(log, key.Session, key.Sequence, answer.Robot, difference);
        await AnswerAsync(answer, cancellation);
    }

    private async Task AnswerAsync(CustodyMessage answer, CancellationToken cancellation)
    {
        try
        {
            await link.SendCustodyAsync(answer, cancellation);
        }
        catch (MqttException e)
        {
            // The robot announces again and is answered from the catalogue then.
            AnswerNotSent(log, answer.Robot, e.Message);
        }
    }

    [LoggerMessage(EventId = 5300, Level = LogLevel.Warning, Message = "Segment {Session}/{Sequence} of robot {Robot} fails its check: {Difference}")]
    private static partial void Differs(ILogger log, Guid session, int sequence, string robot, string difference);

    [LoggerMessage(EventId = 5301, Level = LogLevel.Warning, Message = "Segment {Session}/{Sequence} cannot be checked now, trying again: {Reason}")]
    private static partial void CannotCheck(ILogger log, Guid session, int sequence, string reason);

    [LoggerMessage(EventId = 5302, Level = LogLevel.Warning, Message = "Uploaded segments cannot be looked for now, trying again: {Reason}")]
    private static partial void DatabaseAway(ILogger log, string reason);

    [LoggerMessage(EventId = 5303, Level = LogLevel.Debug, Message = "An answer to robot {Robot} was not sent: {Reason}")]
    private static partial void AnswerNotSent(ILogger log, string robot, string reason);
}
