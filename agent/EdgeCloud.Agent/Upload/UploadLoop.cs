using System.Collections.Concurrent;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Upload;

/// <summary>
/// Delivers what is sealed, in the order of <see cref="UploadQueue"/>, several at a time, each again with growing pauses until it is there. When
/// a session is over and all its segments are settled, its certificate <c>session.json</c> follows and the session is finished.
/// </summary>
internal sealed partial class UploadLoop(
    SessionBook book, ObjectStore store, BandwidthCap cap, NetworkConditions networks, AbandonedUploads abandoned, int workers, Alarms alarms,
    TimeProvider clock, ILogger log)
{
    private static readonly TimeSpan DiskRetry = TimeSpan.FromSeconds(1);
    private readonly UploadQueue _queue = new(clock);
    private readonly StorePause _pause = new(clock);
    private readonly UploadAlarms _alarms = new(alarms, log);
    private readonly SegmentUpload _upload = new(store, cap);
    private readonly SemaphoreSlim _wake = new(0);
    private readonly ConcurrentQueue<Segment> _interrupted = [];
    private UploadWindows _windows = UploadWindows.Always;
    private long _syncUntilTicks;
    private long _retries;
    private long _bytes;
    private string _lastError = "";

    /// <summary>Attempts that failed since the start.</summary>
    public long Retries => Volatile.Read(ref _retries);

    /// <summary>Attempts in a row that did not reach the store.</summary>
    public int Failures => _pause.Failures;

    /// <summary>When the store is tried again; null when it works.</summary>
    public DateTimeOffset? NextAttempt => _pause.Due;

    /// <summary>Bytes of segments that were uploaded since the start.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>Bytes that went out since the start, those of failed attempts included.</summary>
    public long SentBytes => cap.Taken;

    /// <summary>The last error; empty when the last attempt went through.</summary>
    public string LastError => Volatile.Read(ref _lastError);

    /// <summary>When uploads may run. May change at any time.</summary>
    public UploadWindows Windows
    {
        get => Volatile.Read(ref _windows);
        set
        {
            Volatile.Write(ref _windows, value);
            Wake();
        }
    }

    /// <summary>Why segments wait although nothing failed; empty when uploads may run.</summary>
    public string WaitsFor => AreWindowsOpen() ? "" : "upload.windows";

    /// <summary>Looks for work now: the network changed, or a setting.</summary>
    public void Wake()
    {
        if (_wake.CurrentCount < workers)
            _wake.Release(workers);
    }

    /// <summary>Forgets all pauses, so that everything is tried at once.</summary>
    public void RetryNow()
    {
        _queue.ForgetPauses();
        _pause.End();
        Wake();
    }

    /// <summary>Until then uploads run outside their windows too.</summary>
    public void SyncUntil(DateTimeOffset end)
    {
        Volatile.Write(ref _syncUntilTicks, end.UtcTicks);
        Wake();
    }

    /// <summary>The control plane refused what was uploaded: it is tried again after a pause, as if the upload had failed.</summary>
    public void Refused(Segment segment, string reason)
    {
        _queue.Pause(segment, isPermanent: false);
        Count($"segment {segment.Sequence} of {segment.Session.Id} was refused: {reason}");
    }

    /// <summary>Works until cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        ReturnInterrupted();
        book.SegmentChanged += Changed;
        book.SessionChanged += Changed;
        try
        {
            foreach (var session in book.All)
                _queue.Put(session);
            await abandoned.LookAsync(clock.GetUtcNow(), cancellation);
            await Task.WhenAll(Enumerable.Range(0, workers).Select(_ => WorkAsync(cancellation)));
        }
        finally
        {
            book.SegmentChanged -= Changed;
            book.SessionChanged -= Changed;
        }
    }

    private void Changed(Segment segment)
    {
        _queue.Put(segment);
        Wake();
    }

    private void Changed(Session session)
    {
        _queue.Put(session);
        Wake();
    }

    /// <summary>What a stopped agent was uploading is sealed, with its parts remembered.</summary>
    private void ReturnInterrupted()
    {
        foreach (var segment in book.All.SelectMany(s => s.Segments).Where(s => s.Custody is Custody.Uploading))
            Return(segment);
    }

    private async Task WorkAsync(CancellationToken cancellation)
    {
        while (true)
        {
            cancellation.ThrowIfCancellationRequested();
            for (var left = _interrupted.Count; left > 0 && _interrupted.TryDequeue(out var interrupted); left--)
                Return(interrupted);
            if (TakeNext(out var wait) is not { } work)
            {
                await _wake.WaitAsync(_interrupted.IsEmpty ? wait : DiskRetry, cancellation);
                continue;
            }
            try
            {
                await DoAsync(work, cancellation);
            }
            finally
            {
                _queue.GiveBack(work);
            }
        }
    }

    private object? TakeNext(out TimeSpan wait)
    {
        if (_pause.Due is { } due && due - clock.GetUtcNow() is { Ticks: > 0 } left)
        {
            wait = left;
            return null;
        }
        var work = _queue.Take(MayGo, out wait);
        if (Windows.UntilChange(clock.GetLocalNow()) is var change && change < wait)
            wait = change + TimeSpan.FromSeconds(1);
        return work;
    }

    private bool MayGo(string lane) => lane == UploadQueue.Asked || AreWindowsOpen() && networks.Allows(lane);

    private bool AreWindowsOpen() =>
        Windows.AreOpen(clock.GetLocalNow()) || clock.GetUtcNow().UtcTicks < Volatile.Read(ref _syncUntilTicks);

    private async Task DoAsync(object work, CancellationToken cancellation)
    {
        var session = (work as Segment)?.Session ?? (Session)work;
        var round = _pause.Round;
        try
        {
            if (work is Segment segment)
                await UploadAsync(segment, cancellation);
            else
                await CertifyAsync(session, cancellation);
            Succeeded(work, session);
            await abandoned.LookAsync(clock.GetUtcNow(), cancellation);
        }
        catch (StoreException e)
        {
            Failed(work, session, round, e);
        }
        catch (SegmentAlteredException e)
        {
            Quarantine((Segment)work, e.Message);
        }
        catch (Exception e) when (e is SegmentUnreadableException or IOException)
        {
            // What is to be remembered waits for room on the disk, which others make; what cannot be read waits for a person.
            _queue.Pause(work, isPermanent: e is SegmentUnreadableException);
            _alarms.Unreadable(session, e.Message);
            Count(e.Message);
        }
        finally
        {
            // Only now: an upload that failed has its pause before it can be taken again.
            if (work is Segment { Custody: Custody.Uploading } interrupted)
                Return(interrupted);
        }
    }

    private void Quarantine(Segment segment, string reason)
    {
        try
        {
            book.Quarantine(segment, reason);
            _alarms.Altered(segment, reason);
        }
        catch (IOException e)
        {
            _queue.Pause(segment, isPermanent: true);
            _alarms.Unreadable(segment.Session, $"{reason}; {e.Message}");
        }
    }

    /// <summary>Nobody uploads the segment any more. On a disk that refuses, a later look of the workers says so.</summary>
    private void Return(Segment segment)
    {
        try
        {
            segment.TryAdvance(Custody.Sealed, segment.State.Reason);
        }
        catch (IOException)
        {
            _interrupted.Enqueue(segment);
        }
    }

    private async Task UploadAsync(Segment segment, CancellationToken cancellation)
    {
        if (segment.Session.State is SessionState.Cancelled)
        {
            if (segment.State.Multipart is { } parts)
                await store.AbortPartsAsync(segment.Manifest.ObjectKey, parts.UploadId, cancellation);
            segment.TryDiscard("cancelled");
            return;
        }
        if (!segment.TryAdvance(Custody.Uploading))
            return;
        if (!await _upload.RunAsync(segment, cancellation, () => MayGo(UploadQueue.LaneOf(segment))))
            return;
        segment.TryAdvance(Custody.Uploaded);
        Interlocked.Add(ref _bytes, segment.State.Bytes);
    }

    private async Task CertifyAsync(Session session, CancellationToken cancellation)
    {
        var state = session.State;
        var end = state is SessionState.Finishing ? SessionState.Finished : state;
        var certificate = session.Certify() with { State = end };
        await store.PutJsonAsync(ObjectKeys.Certificate(certificate.ObjectPrefix), ContractJson.Write(certificate), cancellation);
        var isCertified = false;
        session.Update(f =>
        {
            // One that was cancelled meanwhile is certified anew.
            isCertified = f.Manifest.State == state;
            return isCertified ? f with { Certified = true, Manifest = f.Manifest with { State = end } } : f;
        });
        if (isCertified)
            LogDelivered(session.Id, certificate.LastSequence);
    }

    private void Succeeded(object work, Session session)
    {
        _queue.Forget(work);
        _queue.Forget(session);
        _pause.End();
        if (Interlocked.Exchange(ref _lastError, "").Length > 0)
            LogWorksAgain(store.Place);
        _alarms.Succeeded(work, session);
    }

    private void Failed(object work, Session session, int round, StoreException e)
    {
        if (e.ConcernsAll)
            _pause.Failed(round, e.IsPermanent);
        else
            _queue.Pause(e.Fault is StoreFault.Denied ? session : work, e.IsPermanent);
        if (e.IsPermanent)
            _alarms.Refused(work, session, e);
        else if (LastError.Length == 0)
            LogFailed(e.Message);
        Count(e.Message);
    }

    private void Count(string error)
    {
        Interlocked.Increment(ref _retries);
        Volatile.Write(ref _lastError, error);
    }

    [LoggerMessage(EventId = 301, Level = LogLevel.Warning, Message = "{Error}; it is tried again")]
    private partial void LogFailed(string error);

    [LoggerMessage(EventId = 303, Level = LogLevel.Information, Message = "Uploads to {Place} work again")]
    private partial void LogWorksAgain(string place);

    [LoggerMessage(EventId = 304, Level = LogLevel.Information, Message = "Session {Session} is delivered: {Segments} segments")]
    private partial void LogDelivered(Guid session, int segments);
}
