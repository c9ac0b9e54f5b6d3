using System.Globalization;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sessions;
using EdgeCloud.Agent.Upload;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Control;

/// <summary>
/// The settings that the command <c>configure</c> may change while the agent runs. Changes are remembered in <c>agent.json</c> and win over
/// the configuration at the next start.
/// </summary>
internal sealed class RunTimeSettings
{
    private const string Bandwidth = "upload.bandwidth_bytes_per_second", Interval = "telemetry.interval_seconds";
    private readonly AgentMemory _memory;
    private readonly IReadOnlyDictionary<string, IReadOnlyList<string>> _networks;
    private double _telemetrySeconds;

    public RunTimeSettings(AgentConfiguration configuration, AgentMemory memory, TimeProvider clock)
    {
        _memory = memory;
        _networks = configuration.Upload.Networks;
        BandwidthCap = new BandwidthCap(configuration.Upload.BandwidthBytesPerSecond, clock);
        _telemetrySeconds = configuration.Telemetry.IntervalSeconds;
        foreach (var (key, value) in memory.Settings)
            Set(key, value);
    }

    public BandwidthCap BandwidthCap { get; }

    public TimeSpan TelemetryInterval => TimeSpan.FromSeconds(Volatile.Read(ref _telemetrySeconds));

    /// <summary>The upload policies that a session may have here, for messages.</summary>
    public string Policies => string.Join(", ", [UploadPolicy.Now, UploadPolicy.OnDemand, .. _networks.Keys]);

    /// <summary>True when a session may have this upload policy here.</summary>
    public bool KnowsPolicy(string policy) => policy is UploadPolicy.Now or UploadPolicy.OnDemand || _networks.ContainsKey(policy);

    /// <exception cref="RefusedException">A key or value is not allowed.</exception>
    public void Check(IReadOnlyDictionary<string, string>? settings)
    {
        if (settings is not { Count: > 0 })
            throw new RefusedException("configure needs settings");
        foreach (var (key, value) in settings)
        {
            var allowed = key switch
            {
                Bandwidth => long.TryParse(value, CultureInfo.InvariantCulture, out var bytes) && bytes >= 0
                    ? null : "a whole number of at least 0",
                Interval => double.TryParse(value, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0.1 and <= 3600
                    ? null : "a number from 0.1 to 3600",
                _ => throw new RefusedException($"'{key}' cannot be changed while the agent runs; {Bandwidth} and {Interval} can"),
            };
            if (allowed is not null)
                throw new RefusedException($"{key} is '{value}'; allowed is {allowed}");
        }
    }

    /// <summary>Applies and remembers settings that were checked.</summary>
    public void Apply(IReadOnlyDictionary<string, string> settings)
    {
        _memory.Remember(settings);
        foreach (var (key, value) in settings)
            Set(key, value);
    }

    private void Set(string key, string value)
    {
        if (key == Bandwidth)
            BandwidthCap.BytesPerSecond = long.Parse(value, CultureInfo.InvariantCulture);
        else if (key == Interval)
            Volatile.Write(ref _telemetrySeconds, double.Parse(value, CultureInfo.InvariantCulture));
    }
}
