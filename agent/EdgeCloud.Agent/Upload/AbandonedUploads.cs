using EdgeCloud.Agent.Sessions;
using EdgeCloud.Contracts;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Upload;

/// <summary>
/// Finds uploads in parts that this robot began and does not remember, and gives them up: of a crash between the server's answer and the disk,
/// and of segments that were discarded in between. They cost money and nobody sees them.
/// </summary>
internal sealed partial class AbandonedUploads(SessionBook book, ObjectStore store, string robotPrefix, ILogger log)
{
    private static readonly TimeSpan Interval = TimeSpan.FromHours(1), Retry = TimeSpan.FromMinutes(1);
    private DateTimeOffset _due;

    /// <summary>Looks now when it is time to. What the store does not answer is asked again later.</summary>
    public async Task LookAsync(DateTimeOffset now, CancellationToken cancellation)
    {
        if (now < _due)
            return;
        _due = now + Retry;
        try
        {
            var open = await store.ListOpenAsync(robotPrefix, cancellation);
            var segments = open.Count == 0 ? [] : book.All.SelectMany(s => s.Segments).ToList();
            var remembered = segments.Select(s => s.State.Multipart?.UploadId).ToHashSet();
            // One that is beginning is remembered in a moment.
            var busy = segments.Where(s => s.Custody is Custody.Uploading).Select(s => s.Manifest.ObjectKey).ToHashSet(StringComparer.Ordinal);
            foreach (var upload in open.Where(u => !remembered.Contains(u.UploadId) && !busy.Contains(u.Key)))
            {
                await store.AbortPartsAsync(upload.Key, upload.UploadId, cancellation);
                LogGivenUp(upload.Key);
            }
            _due = now + Interval;
        }
        catch (StoreException e)
        {
            LogCannotLook(e.Message);
        }
    }

    [LoggerMessage(EventId = 311, Level = LogLevel.Information, Message = "An upload in parts of {Key} that nobody remembers is given up")]
    private partial void LogGivenUp(string key);

    [LoggerMessage(EventId = 312, Level = LogLevel.Information, Message = "Abandoned uploads in parts cannot be looked for now: {Reason}")]
    private partial void LogCannotLook(string reason);
}
