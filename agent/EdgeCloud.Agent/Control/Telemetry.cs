using System.Diagnostics;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Upload;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Control;

/// <summary>Turns counters into the rates of an interval. Not thread-safe: one loop asks.</summary>
internal sealed class Telemetry(string robot, string dataDir, Recorder recorder, SessionBook book, UploadLoop? upload, TimeProvider clock)
{
    private Vitals _vitals = Vitals.Read();
    private Dictionary<string, TopicCount> _topics = [];
    private (long Messages, long Bytes) _recorded;
    private long _sent;

    /// <summary>What happened since the last call.</summary>
    public TelemetryMessage Sample(Revision revision)
    {
        var (before, now) = (_vitals, Vitals.Read());
        _vitals = now;
        var seconds = Math.Max(Stopwatch.GetElapsedTime(before.Timestamp, now.Timestamp).TotalSeconds, 1e-3);
        var disk = new DriveInfo(dataDir);
        var segments = book.All.SelectMany(s => s.Segments).ToList();
        var recorded = recorder.Recorded;
        var (p50, p99) = CommitLatency();
        var message = new TelemetryMessage
        {
            Robot = robot,
            Revision = revision,
            TimeNs = clock.NowNs(),
            IntervalMs = (int)(seconds * 1000),
            Topics = SampleTopics(seconds),
            MessagesPerSecond = (recorded.Messages - _recorded.Messages) / seconds,
            BytesPerSecond = (recorded.Bytes - _recorded.Bytes) / seconds,
            Lost = _topics.Values.Sum(t => t.Lost),
            DiskFreeBytes = disk.AvailableFreeSpace,
            DiskTotalBytes = disk.TotalSize,
            RecordingsBytes = segments.Where(s => s.HasMedia).Sum(s => s.State.Bytes),
            SystemCpuPercent = 100.0 * (now.CpuBusy - before.CpuBusy) / Math.Max(now.CpuTotal - before.CpuTotal, 1),
            AgentCpuPercent = (now.AgentCpu - before.AgentCpu).TotalSeconds / seconds * 100,
            AgentMemoryBytes = Environment.WorkingSet,
            NetworkReceiveBytesPerSecond = (now.Received - before.Received) / seconds,
            NetworkSendBytesPerSecond = (now.Sent - before.Sent) / seconds,
            Upload = SampleUpload(seconds, segments),
            Position = recorder.Position,
            CommitP50Ms = p50,
            CommitP99Ms = p99,
        };
        _recorded = recorded;
        return message;
    }

    private List<TopicRate> SampleTopics(double seconds)
    {
        var before = _topics;
        _topics = recorder.Counts().ToDictionary(t => t.Topic, StringComparer.Ordinal);
        return [.. _topics.Values.Where(t => t.IsOffered || t.Messages > 0).Select(t =>
        {
            var last = before.GetValueOrDefault(t.Topic);
            return new TopicRate(t.Topic, t.Type, (t.Messages - last.Messages) / seconds, (t.Bytes - last.Bytes) / seconds, t.Lost);
        })];
    }

    private UploadStatus SampleUpload(double seconds, List<Segment> segments)
    {
        var sent = upload?.SentBytes ?? 0;
        var backlog = segments.Where(s => !s.IsSettled).ToList();
        var status = new UploadStatus
        {
            BacklogSegments = backlog.Count,
            BacklogBytes = backlog.Sum(s => s.State.Bytes),
            BytesPerSecond = (sent - _sent) / seconds,
            Retries = upload?.Retries ?? 0,
            Failures = upload?.Failures ?? 0,
            NextAttemptNs = upload?.NextAttempt is { } next ? WallClock.ToNs(next) : null,
            WaitsFor = upload?.WaitsFor ?? "",
            LastError = upload?.LastError ?? "",
        };
        _sent = sent;
        return status;
    }

    /// <summary>Of the live sessions' commits, the worst session's; null when none has committed anything.</summary>
    private (double? P50, double? P99) CommitLatency()
    {
        var logs = recorder.Live.Select(r => r.Log.CommitLatency).Where(l => l.Count > 0).ToList();
        return logs.Count == 0 ? (null, null) : (logs.Max(l => l.PercentileNs(0.5)) / 1e6, logs.Max(l => l.PercentileNs(0.99)) / 1e6);
    }
}
