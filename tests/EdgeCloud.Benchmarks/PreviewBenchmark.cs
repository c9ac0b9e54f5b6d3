using System.Diagnostics;
using EdgeCloud.Contracts.Api;
using EdgeCloud.Testing;

namespace EdgeCloud.Benchmarks;

/// <summary>
/// <c>preview</c>: plots of a session of ten minutes (images and clouds 1 Hz, 200 Hz imu, 150 Hz tf, 90 Hz odometry) as the browser asks for
/// them, from a control plane that was just started, with PostgreSQL and S3 on this machine. The first look makes what plots are read from.
/// </summary>
internal static class PreviewBenchmark
{
    private const int Segments = 10;
    private const int FramesPerSegment = 60;
    private const double TargetSeconds = 1;

    private static readonly string[] Fields =
    [
        "/imu/data:linear_acceleration.x", "/imu/data:linear_acceleration.y", "/imu/data:angular_velocity.z",
        "/odom:pose.pose.position.x", "/odom:pose.pose.position.y", "/odom:twist.twist.linear.x",
    ];

    public static async Task<int> RunAsync(string[] args)
    {
        await using var system = new EdgeCloudSystem();
        await system.InitializeAsync();
        using var s3 = system.S3.Connect();
        var recording = await StoredRecording.MakeAsync(
            system.ControlPlane.ConnectionString, s3, system.ControlPlane.Bucket, "bench", Segments, FramesPerSegment, frameMs: 1000);
        Console.WriteLine($"preview: {Segments} minutes, {recording.Messages:N0} messages, {recording.PayloadBytes / 1e6:0} MB of payload");
        await PlotAsync(system, recording, "first look", Fields[..1]);
        foreach (var fields in new[] { Fields[..1], Fields })
        {
            await system.ControlPlane.StopAsync();
            await system.ControlPlane.StartAsync();
            var title = fields.Length == 1 ? "1 field" : $"{fields.Length} fields";
            foreach (var when in new[] { ", just started", ", again" })
                Targets.AtMost("plot of " + title + when, await PlotAsync(system, recording, title + when, fields), TargetSeconds, "s");
        }
        return 0;
    }

    private static async Task<double> PlotAsync(EdgeCloudSystem system, StoredRecording recording, string title, string[] fields)
    {
        var query = string.Join('&', fields.Select(f => $"field={Uri.EscapeDataString(f)}"));
        var clock = Stopwatch.GetTimestamp();
        SeriesView plot;
        do
        {
            plot = await system.Api.GetAsync($"sessions/{recording.Session}/preview/series?{query}&columns=1200&wait_ms=10000", ApiJsonContext.Default.SeriesView);
        }
        while (!plot.Complete);
        var seconds = Stopwatch.GetElapsedTime(clock).TotalSeconds;
        Console.WriteLine($"  {title,-24} {seconds,6:0.00} s  {plot.Series.Sum(s => s.Count),9:N0} values  {plot.Read.Requests,3} requests  {plot.Read.Bytes / 1e6,6:0.0} MB");
        return seconds;
    }
}
