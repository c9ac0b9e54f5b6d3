using System.Collections.Concurrent;
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
/// object that is missing or differs sends the segment back; S3 that does not answer says nothing about the object and is asked again. A
/// check that cannot be made is put off, ever longer, and holds up no other. What was left over, by a restart or another replica's end, a
/// sweep finds.
/// </summary>
internal sealed partial class SegmentVerification(
    IDbContextFactory<CatalogueDb> catalogue, ObjectCheck objects, SegmentChecks checks, FleetLink link, FleetMetrics metrics, ExcerptMaker excerpts,
    TimeProvider clock,
    ILogger<SegmentVerification> log) : BackgroundService
{
    private const int Parallel = 4;
    private const int SweepSize = 200;
    private static readonly TimeSpan Tick = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan SweepInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan SweepAge = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<SegmentKey, (DateTimeOffset Due, TimeSpan Pause)> _putOff = [];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll([AskAsync(stoppingToken), .. Enumerable.Range(0, Parallel).Select(_ => WorkAsync(stoppingToken))]);
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Asks for what was put off when its time has come, and for what the catalogue has left over, in turn.</summary>
    private async Task AskAsync(CancellationToken cancellation)
    {
        var swept = (At: DateTimeOffset.UnixEpoch, Segment: default(SegmentKey));
        var sweepAt = clock.GetUtcNow();
        while (true)
        {
            var now = clock.GetUtcNow();
            foreach (var segment in _putOff.Where(p => p.Value.Due <= now).Select(p => p.Key))
                checks.Ask(segment);
            if (now >= sweepAt)
            {
                swept = await SweepAsync(swept, now - SweepAge, cancellation);
                sweepAt = now + SweepInterval;
            }
            await Task.Delay(Tick, clock, cancellation);
        }
    }

    /// <summary>Asks for the next segments after <paramref name="after"/>: all have their turn, however many cannot be checked.</summary>
    private async Task<(DateTimeOffset At, SegmentKey Segment)> SweepAsync(
        (DateTimeOffset At, SegmentKey Segment) after, DateTimeOffset before, CancellationToken cancellation)
    {
        try
        {
            await using var db = await catalogue.CreateDbContextAsync(cancellation);
            var left = await db.Segments
                .Where(s => s.Custody == Custody.Uploaded && s.UpdatedAt < before && EF.Functions.GreaterThan(
                    ValueTuple.Create(s.UpdatedAt, s.SessionId, s.Sequence), ValueTuple.Create(after.At, after.Segment.Session, after.Segment.Sequence)))
                .OrderBy(s => s.UpdatedAt).ThenBy(s => s.SessionId).ThenBy(s => s.Sequence)
                .Take(SweepSize)
                .Select(s => new { s.UpdatedAt, Key = new SegmentKey(s.SessionDate, s.SessionId, s.Sequence) })
                .ToListAsync(cancellation);
            foreach (var segment in left)
                checks.Ask(segment.Key);
            return left.Count < SweepSize ? (DateTimeOffset.UnixEpoch, default) : (left[^1].UpdatedAt, left[^1].Key);
        }
        catch (Exception e) when (Postgres.IsTransient(e))
        {
            DatabaseAway(log, e.GetBaseException().Message);
            return after;
        }
    }

    private async Task WorkAsync(CancellationToken cancellation)
    {
        await foreach (var segment in checks.Asked.ReadAllAsync(cancellation))
        {
            if (_putOff.TryGetValue(segment, out var putOff) && putOff.Due > clock.GetUtcNow())
                continue;
            try
            {
                await CheckAsync(segment, cancellation);
                _putOff.TryRemove(segment, out _);
            }
            catch (Exception e) when (e is BucketUnavailableException || Postgres.IsTransient(e))
            {
                CannotCheck(log, segment.Session, segment.Sequence, e is BucketUnavailableException ? e.Message : e.GetBaseException().Message);
                PutOff(segment, putOff.Pause);
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested)
            {
                // A defect that one segment brings to light costs that segment and not the worker.
                Defect(log, segment.Session, segment.Sequence, e);
                PutOff(segment, LongestPause);
            }
        }
    }

    private void PutOff(SegmentKey segment, TimeSpan before)
    {
        var pause = before == TimeSpan.Zero ? Tick : before * 2 < LongestPause ? before * 2 : LongestPause;
        _putOff[segment] = (clock.GetUtcNow() + pause * (0.5 + Random.Shared.NextDouble() / 2), pause);
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

    [LoggerMessage(EventId = 5304, Level = LogLevel.Error, Message = "Segment {Session}/{Sequence} cannot be checked for a reason that nobody foresaw")]
    private static partial void Defect(ILogger log, Guid session, int sequence, Exception e);

    [LoggerMessage(EventId = 5302, Level = LogLevel.Warning, Message = "Uploaded segments cannot be looked for now, trying again: {Reason}")]
    private static partial void DatabaseAway(ILogger log, string reason);

    [LoggerMessage(EventId = 5303, Level = LogLevel.Debug, Message = "An answer to robot {Robot} was not sent: {Reason}")]
    private static partial void AnswerNotSent(ILogger log, string robot, string reason);
}
