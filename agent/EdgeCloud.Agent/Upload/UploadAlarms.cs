using EdgeCloud.Agent.Sessions;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Upload;

/// <summary>
/// What of uploading needs a person: one alarm, and one line in the log, for each thing that is wrong, not for each of a thousand segments.
/// </summary>
internal sealed partial class UploadAlarms(Alarms alarms, ILogger log)
{
    private const string All = "upload", Twin = "upload.twin";
    private readonly Lock _gate = new();
    private readonly HashSet<string> _raised = [];
    private readonly HashSet<object> _twins = [];

    /// <summary>The store refused for good: everything, a session's place, or one object.</summary>
    public void Refused(object work, Session session, StoreException e)
    {
        lock (_gate)
        {
            if (e.Fault is StoreFault.Different)
                _twins.Add(work);
        }
        Raise(e.Fault switch { StoreFault.Different => Twin, StoreFault.Denied => NameOf(session), _ => All }, $"upload refused: {e.Message}");
    }

    /// <summary>Files of a session cannot be read.</summary>
    public void Unreadable(Session session, string error) => Raise(NameOf(session), $"upload stopped: {error}");

    /// <summary>A segment went to quarantine. That it happened stays on show until the agent starts again.</summary>
    public void Altered(Segment segment, string error) => Raise(
        $"quarantine.{segment.Session.Id}.{segment.Sequence}", $"segment {segment.Sequence} of session {segment.Session.Id} is in quarantine: {error}");

    /// <summary>Something of a session went through.</summary>
    public void Succeeded(object work, Session session)
    {
        lock (_gate)
        {
            Clear(All);
            Clear(NameOf(session));
            if (_twins.Remove(work) && _twins.Count == 0)
                Clear(Twin);
        }
    }

    private void Raise(string name, string text)
    {
        lock (_gate)
        {
            if (!_raised.Add(name))
                return;
        }
        alarms.Raise(name, text);
        LogRefused(text);
    }

    private void Clear(string name)
    {
        _raised.Remove(name);
        alarms.Clear(name);
    }

    private static string NameOf(Session session) => $"upload.{session.Id}";

    [LoggerMessage(EventId = 302, Level = LogLevel.Error, Message = "{Text}; it is tried again every two minutes until somebody puts it right")]
    private partial void LogRefused(string text);
}
