using Amazon.S3.Model;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Export;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Reading;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>
/// Makes excerpts of segments: of those that somebody looks at first, then of those that were acknowledged lately, newest first. Two
/// replicas may make the same one, with the same result. What is forgotten by a restart is made when it is looked at.
/// </summary>
internal sealed partial class ExcerptMaker(
    IDbContextFactory<CatalogueDb> catalogue, Bucket bucket, PreviewFiles files, PreviewSettings settings, TimeProvider clock,
    ILogger<ExcerptMaker> log) : BackgroundService
{
    /// <summary>Acknowledged segments that wait; of more, the oldest are left until somebody looks at them.</summary>
    private const int WaitingMax = 1000;
    /// <summary>After this long a segment that could not be read is tried again.</summary>
    private static readonly TimeSpan ErrorLifetime = TimeSpan.FromMinutes(10);

    private readonly SemaphoreSlim _there = new(0);
    private readonly LinkedList<Order> _waiting = [];
    private readonly Dictionary<SegmentKey, Order> _orders = [];

    private sealed record Order(SegmentKey Segment, SegmentManifest Manifest)
    {
        public TaskCompletionSource<SegmentExcerpt> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }

    /// <summary>The excerpt of a segment that somebody looks at, once it is made; an earlier one where there is one.</summary>
    public Task<SegmentExcerpt> Want(PreviewSegment segment) =>
        segment.Excerpt is { } known && (known.Error.Length == 0 || known.MadeAt + ErrorLifetime > clock.GetUtcNow())
            ? Task.FromResult(known)
            : Ask(new Order(segment.Key, segment.Manifest), urgent: true);

    /// <summary>Starts on the excerpt of a segment that was just acknowledged, when the settings say so.</summary>
    public void Prepare(SegmentKey segment, SegmentManifest manifest)
    {
        if (settings.PrepareAcknowledged && manifest.Messages > 0)
            _ = Ask(new Order(segment, manifest), urgent: false);
    }

    /// <summary>Forgets an excerpt whose object is gone, so that it is made anew.</summary>
    public async Task ForgetAsync(SegmentExcerpt excerpt, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await db.SegmentExcerpts
            .Where(e => e.SessionDate == excerpt.SessionDate && e.SessionId == excerpt.SessionId && e.Sequence == excerpt.Sequence && e.ETag == excerpt.ETag)
            .ExecuteDeleteAsync(cancellation);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await Task.WhenAll(Enumerable.Range(0, settings.Workers).Select(_ => WorkAsync(stoppingToken)));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            lock (_waiting)
            {
                foreach (var order in _orders.Values)
                    order.Done.TrySetCanceled(CancellationToken.None);
            }
        }
    }

    private Task<SegmentExcerpt> Ask(Order order, bool urgent)
    {
        lock (_waiting)
        {
            if (_orders.TryGetValue(order.Segment, out var known))
            {
                if (urgent && _waiting.Remove(known))
                    _waiting.AddFirst(known);
                return known.Done.Task;
            }
            _orders.Add(order.Segment, order);
            _waiting.AddFirst(order);
            if (_waiting.Count > WaitingMax)
            {
                var oldest = _waiting.Last!.Value;
                _waiting.RemoveLast();
                _orders.Remove(oldest.Segment);
                oldest.Done.TrySetCanceled();
                return order.Done.Task;
            }
        }
        _there.Release();
        return order.Done.Task;
    }

    private async Task WorkAsync(CancellationToken cancellation)
    {
        while (true)
        {
            await _there.WaitAsync(cancellation);
            Order order;
            lock (_waiting)
            {
                order = _waiting.First!.Value;
                _waiting.RemoveFirst();
            }
            try
            {
                order.Done.TrySetResult(await FindOrMakeAsync(order, cancellation));
            }
            catch (Exception e) when (!cancellation.IsCancellationRequested)
            {
                if (e is BucketUnavailableException || Postgres.IsTransient(e))
                    NotNow(log, order.Segment.Session, order.Segment.Sequence, e.GetBaseException().Message);
                else
                    Defect(log, order.Segment.Session, order.Segment.Sequence, e);
                order.Done.TrySetException(e);
                // Nobody may be waiting; the failure is on record all the same.
                _ = order.Done.Task.Exception;
            }
            finally
            {
                lock (_waiting)
                    _orders.Remove(order.Segment);
            }
        }
    }

    private async Task<SegmentExcerpt> FindOrMakeAsync(Order order, CancellationToken cancellation)
    {
        var (key, manifest) = (order.Segment, order.Manifest);
        await using (var db = await catalogue.CreateDbContextAsync(cancellation))
        {
            var known = await FindAsync(db, key, cancellation);
            if (known is { Error.Length: 0 } && known.Sha256 == manifest.Sha256)
                return known;
        }
        var made = new SegmentExcerpt { SessionDate = key.Date, SessionId = key.Session, Sequence = key.Sequence, Sha256 = manifest.Sha256 };
        try
        {
            await MakeAsync(made, manifest, cancellation);
        }
        catch (Exception e) when (e is McapException or ExportException or EndOfStreamException or InvalidDataException)
        {
            Unreadable(log, key.Session, key.Sequence, e.Message);
            made.Error = e.Message;
        }
        made.MadeAt = clock.GetUtcNow();
        await StoreAsync(made, cancellation);
        return made;
    }

    private async Task MakeAsync(SegmentExcerpt made, SegmentManifest manifest, CancellationToken cancellation)
    {
        // In a file: an excerpt may be as large as its segment, and its length must be known before it is sent.
        await using var file = NamelessFile.Create(Path.GetTempPath(), 1 << 16, FileOptions.Asynchronous);
        await using (var segment = await McapIndexedReader.OpenAsync(files.Source(PreviewFile.Of(manifest)), cancellationToken: cancellation))
            await ExcerptWriter.WriteAsync(segment, file, cancellation);
        made.Bytes = file.Length;
        made.ObjectKey = $"{SegmentExcerpt.Folder(made.SessionId)}{ObjectKeys.SegmentName(made.Sequence)}-{manifest.Sha256[..16]}.mcap";
        file.Position = 0;
        var put = await bucket.TryAsync(() => bucket.Client.PutObjectAsync(
            new PutObjectRequest
            {
                BucketName = bucket.Name,
                Key = made.ObjectKey,
                InputStream = file,
                AutoCloseStream = false,
                ContentType = "application/octet-stream",
            },
            cancellation), cancellation);
        made.ETag = put.ETag.Trim('"');
    }

    private async Task StoreAsync(SegmentExcerpt made, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        // The session may have been deleted meanwhile; another replica may have made the same.
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into segment_excerpts (session_date, session_id, sequence, sha256, object_key, bytes, e_tag, error, made_at)
            select {made.SessionDate}, {made.SessionId}, {made.Sequence}, {made.Sha256}, {made.ObjectKey}, {made.Bytes}, {made.ETag}, {made.Error}, {made.MadeAt}
            where exists (select 1 from sessions where date = {made.SessionDate} and id = {made.SessionId})
            on conflict (session_date, session_id, sequence) do update set
                sha256 = excluded.sha256, object_key = excluded.object_key, bytes = excluded.bytes, e_tag = excluded.e_tag,
                error = excluded.error, made_at = excluded.made_at
            """, cancellation);
    }

    private static Task<SegmentExcerpt?> FindAsync(CatalogueDb db, SegmentKey key, CancellationToken cancellation) =>
        db.SegmentExcerpts.AsNoTracking()
            .SingleOrDefaultAsync(e => e.SessionDate == key.Date && e.SessionId == key.Session && e.Sequence == key.Sequence, cancellation);

    [LoggerMessage(EventId = 5310, Level = LogLevel.Warning, Message = "Segment {Session}/{Sequence} cannot be looked at: {Reason}")]
    private static partial void Unreadable(ILogger log, Guid session, int sequence, string reason);

    // A defect that one segment brings to light must not end the control plane, again and again.
    [LoggerMessage(EventId = 5312, Level = LogLevel.Error, Message = "The excerpt of segment {Session}/{Sequence} failed for a reason that nobody foresaw")]
    private static partial void Defect(ILogger log, Guid session, int sequence, Exception e);

    [LoggerMessage(EventId = 5311, Level = LogLevel.Warning, Message = "The excerpt of segment {Session}/{Sequence} cannot be made now: {Reason}")]
    private static partial void NotNow(ILogger log, Guid session, int sequence, string reason);
}
