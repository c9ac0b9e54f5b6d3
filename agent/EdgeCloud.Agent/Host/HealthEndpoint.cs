using System.Globalization;
using System.Net;
using System.Text;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Upload;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Host;

/// <summary>
/// <c>/healthz</c> (200, or 503 with the alarms) and <c>/metrics</c> (Prometheus text) on loopback, for whoever looks after the robot itself.
/// </summary>
internal sealed partial class HealthEndpoint(
    int port, Recorder recorder, SessionBook book, UploadLoop? upload, Func<bool> isConnected, Alarms alarms, ILogger log)
{
    /// <summary>Answers until cancelled. A port that somebody else has is waited for: recording does not depend on it.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        for (var failures = 1; ; failures++)
        {
            using var listener = new HttpListener();
            listener.Prefixes.Add($"http://127.0.0.1:{port}/");
            try
            {
                listener.Start();
            }
            catch (HttpListenerException e)
            {
                if (failures == 1)
                    LogNoPort(port, e.Message);
                await Task.Delay(Backoff.After(failures), cancellation);
                continue;
            }
            await ListenAsync(listener, cancellation);
            return;
        }
    }

    private async Task ListenAsync(HttpListener listener, CancellationToken cancellation)
    {
        await using var stop = cancellation.Register(listener.Stop);
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await AnswerAsync(await listener.GetContextAsync(), cancellation);
            }
            catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
            {
                // The caller went away, or we are stopping.
            }
        }
    }

    private async Task AnswerAsync(HttpListenerContext context, CancellationToken cancellation)
    {
        var (status, text) = context.Request.Url?.AbsolutePath switch
        {
            "/healthz" => alarms.Current is { Count: > 0 } raised ? (503, string.Join('\n', raised) + "\n") : (200, "ok\n"),
            "/metrics" => (200, Metrics()),
            _ => (404, "there are /healthz and /metrics\n"),
        };
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; version=0.0.4";
        await context.Response.OutputStream.WriteAsync(Encoding.UTF8.GetBytes(text), cancellation);
        context.Response.Close();
    }

    private string Metrics()
    {
        var text = new StringBuilder();
        var recorded = recorder.Recorded;
        Add("edgecloud_recorded_messages_total", "counter", "Messages taken by sessions.", recorded.Messages);
        Add("edgecloud_recorded_bytes_total", "counter", "Payload bytes taken by sessions.", recorded.Bytes);
        Add("edgecloud_lost_messages_total", "counter", "Messages lost in transport or dropped.", recorder.Counts().Sum(t => t.Lost));
        Add("edgecloud_sessions_live", "gauge", "Sessions recording or paused.", recorder.Live.Count);
        Add("edgecloud_segments_waiting", "gauge", "Segments sealed and not acknowledged.", book.All.Sum(s => s.Segments.Count(g => !g.IsSettled)));
        Add("edgecloud_uploaded_bytes_total", "counter", "Bytes of segments uploaded.", upload?.Bytes ?? 0);
        Add("edgecloud_upload_retries_total", "counter", "Upload attempts that failed.", upload?.Retries ?? 0);
        Add("edgecloud_upload_sent_bytes_total", "counter", "Bytes that went out, those of failed attempts included.", upload?.SentBytes ?? 0);
        Add("edgecloud_upload_failures", "gauge", "Attempts in a row that did not reach the store.", upload?.Failures ?? 0);
        Add("edgecloud_mqtt_connected", "gauge", "1 while the broker is reached.", isConnected() ? 1 : 0);
        Add("edgecloud_alarms", "gauge", "Conditions that need a person.", alarms.Current.Count);
        return text.ToString();

        void Add(string name, string type, string help, long value) => text.Append(
            CultureInfo.InvariantCulture, $"# HELP {name} {help}\n# TYPE {name} {type}\n{name} {value}\n");
    }

    [LoggerMessage(EventId = 106, Level = LogLevel.Warning, Message = "health.port {Port} cannot be listened on: {Error}; it is tried again")]
    private partial void LogNoPort(int port, string error);
}
