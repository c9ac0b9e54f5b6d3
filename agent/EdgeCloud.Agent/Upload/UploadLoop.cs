using EdgeCloud.Agent.Sessions;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Upload;

/// <summary>
/// Delivers what is sealed: oldest first, several at a time, each again with growing pauses until it is there. When a session is over and
/// all its segments are settled, its certificate <c>session.json</c> follows and the session is finished.
/// </summary>
internal sealed partial class UploadLoop(
    SessionBook book, ObjectStore store, BandwidthCap cap, NetworkConditions networks, int workers, Alarms alarms, TimeProvider clock, ILogger log)
{
    private const string Alarm = "upload";
    private readonly Lock _gate = new();
    private readonly HashSet<object> _taken = [];
    private readonly Dictionary<object, (int Failures, DateTimeOffset Due)> _failed = [];
    private readonly SegmentUpload _upload = new(store, cap);
    private readonly SemaphoreSlim _wake = new(0);
    private long _retries;
    private long _bytes;
    private string _lastError = "";

    /// <summary>Attempts that failed since the start.</summary>
    public long Retries => Volatile.Read(ref _retries);

    /// <summary>Bytes of segments that were uploaded since the start.</summary>
    public long Bytes => Volatile.Read(ref _bytes);

    /// <summary>The last error; empty when the last attempt went through.</summary>
    public string LastError => Volatile.Read(ref _lastError);

    /// <summary>Looks for work now: something was sealed, acknowledged or ended.</summary>
    public void Wake()
    {
        if (_wake.CurrentCount < workers)
            _wake.Release();
    }

    /// <summary>Forgets all pauses, so that everything is tried at once.</summary>
    public void RetryNow()
    {
        lock (_gate)
            _failed.Clear();
        for (var i = 0; i < workers; i++)
            _wake.Release();
    }

    /// <summary>The control plane refused what was uploaded: it is tried again after a pause, as if the upload had failed.</summary>
    public void Refused(Segment segment, string reason) => Failed(segment, $"segment {segment.Sequence} was refused: {reason}", permanent: false);

    /// <summary>Works until cancelled.</summary>
    public Task RunAsync(CancellationToken cancellation)
    {
        ReturnInterrupted();
        return Task.WhenAll(Enumerable.Range(0, workers).Select(_ => WorkAsync(cancellation)));
    }

    /// <summary>What a stopped agent was uploading is sealed, with its parts remembered.</summary>
    private void ReturnInterrupted()
    {
        foreach (var segment in book.All.SelectMany(s => s.Segments).Where(s => s.Custody is Custody.Uploading))
            segment.TryAdvance(Custody.Sealed, segment.State.Reason);
    }

    private async Task WorkAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            if (TakeNext(out var wait) is { } work)
                await DoAsync(work, cancellation);
            else
                await _wake.WaitAsync(wait, cancellation);
        }
    }

    private object? TakeNext(out TimeSpan wait)
    {
        wait = Backoff.Longest;
        var now = clock.GetUtcNow();
        lock (_gate)
        {
            foreach (var work in Candidates())
            {
                if (_taken.Contains(work))
                    continue;
                if (_failed.TryGetValue(work, out var failed) && failed.Due > now)
                {
                    wait = failed.Due - now < wait ? failed.Due - now : wait;
                    continue;
                }
                _taken.Add(work);
                return work;
            }
        }
        return null;
    }

    /// <summary>What was asked for; then sealed segments whose session's policy lets them go, oldest session first; behind them its certificate.</summary>
    private IEnumerable<object> Candidates()
    {
        foreach (var session in book.All.Where(s => s.File is { Certified: false, Manifest.Requested.Count: > 0 }))
        {
            foreach (var segment in session.Segments.Where(s => s.Custody is Custody.Sealed && session.IsRequested(s)))
                yield return segment;
        }
        foreach (var session in book.All)
        {
            if (session.File.Certified)
                continue;
            var segments = session.Segments;
            if (session.State is SessionState.Cancelled || networks.Allows(session.File.Manifest.Upload))
            {
                foreach (var segment in segments.Where(s => s.Custody is Custody.Sealed))
                    yield return segment;
            }
            if (session.IsComplete && segments.All(s => s.IsSettled))
                yield return session;
        }
    }

    private async Task DoAsync(object work, CancellationToken cancellation)
    {
        try
        {
            if (work is Segment segment)
                await UploadAsync(segment, cancellation);
            else
                await CertifyAsync((Session)work, cancellation);
            Succeeded(work);
        }
        catch (StoreException e)
        {
            Failed(work, e.Message, e.IsPermanent);
        }
        catch (IOException e)
        {
            Failed(work, e.Message, permanent: true);
        }
        finally
        {
            lock (_gate)
                _taken.Remove(work);
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
        try
        {
            await _upload.RunAsync(segment, cancellation);
        }
        catch
        {
            segment.TryAdvance(Custody.Sealed);
            throw;
        }
        segment.TryAdvance(Custody.Uploaded);
        Interlocked.Add(ref _bytes, segment.Manifest.Bytes);
    }

    private async Task CertifyAsync(Session session, CancellationToken cancellation)
    {
        var end = session.State is SessionState.Finishing ? SessionState.Finished : session.State;
        var certificate = session.Certify() with { State = end };
        await store.PutJsonAsync(ObjectKeys.Certificate(certificate.ObjectPrefix), ContractJson.Write(certificate), cancellation);
        session.Update(f => f with { Certified = true, Manifest = f.Manifest with { State = end } });
        LogDelivered(session.Id, certificate.LastSequence);
    }

    private void Succeeded(object work)
    {
        lock (_gate)
            _failed.Remove(work);
        if (LastError.Length > 0)
            LogWorksAgain(store.Place);
        Volatile.Write(ref _lastError, "");
        alarms.Clear(Alarm);
        Wake();
    }

    private void Failed(object work, string error, bool permanent)
    {
        lock (_gate)
        {
            var failures = _failed.GetValueOrDefault(work).Failures + 1;
            _failed[work] = (failures, clock.GetUtcNow() + (permanent ? Backoff.Longest : Backoff.After(failures)));
        }
        Interlocked.Increment(ref _retries);
        // One line for each new reason, not one for each of a thousand segments.
        if (Interlocked.Exchange(ref _lastError, error) == error)
            return;
        if (permanent && alarms.Raise(Alarm, $"upload refused: {error}"))
            LogRefused(error);
        else if (!permanent)
            LogFailed(error);
    }

    [LoggerMessage(EventId = 301, Level = LogLevel.Warning, Message = "{Error}; it is tried again")]
    private partial void LogFailed(string error);

    [LoggerMessage(EventId = 302, Level = LogLevel.Error, Message = "{Error}; it is tried again every two minutes until somebody puts it right")]
    private partial void LogRefused(string error);

    [LoggerMessage(EventId = 303, Level = LogLevel.Information, Message = "Uploads to {Place} work again")]
    private partial void LogWorksAgain(string place);

    [LoggerMessage(EventId = 304, Level = LogLevel.Information, Message = "Session {Session} is delivered: {Segments} segments")]
    private partial void LogDelivered(Guid session, int segments);
}
