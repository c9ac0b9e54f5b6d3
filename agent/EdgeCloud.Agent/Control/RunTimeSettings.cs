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
    private readonly AgentMemory _memory;
    private readonly IReadOnlyDictionary<string, IReadOnlyList<string>> _networks;
    private readonly SortedDictionary<string, Setting> _settings = new(StringComparer.Ordinal);
    private double _telemetrySeconds;
    private UploadWindows _windows = UploadWindows.Always;

    public RunTimeSettings(AgentConfiguration configuration, AgentMemory memory, TimeProvider clock)
    {
        _memory = memory;
        _networks = configuration.Upload.Networks;
        BandwidthCap = new BandwidthCap(configuration.Upload.BandwidthBytesPerSecond, clock, configuration.Upload.BurstBytes);
        _telemetrySeconds = configuration.Telemetry.IntervalSeconds;
        _settings["upload.bandwidth_bytes_per_second"] = Bytes(bytes => BandwidthCap.BytesPerSecond = bytes);
        _settings["upload.burst_bytes"] = Bytes(bytes => BandwidthCap.BurstBytes = bytes);
        _settings["upload.windows"] = new Setting(UploadWindows.Rule, text => UploadWindows.TryParse(text, out _), SetWindows);
        _settings["telemetry.interval_seconds"] = new Setting(
            "a number from 0.1 to 3600",
            text => double.TryParse(text, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 0.1 and <= 3600,
            text => Volatile.Write(ref _telemetrySeconds, double.Parse(text, CultureInfo.InvariantCulture)));
        SetWindows(configuration.Upload.Windows);
        // What an older version remembered may be no setting any more.
        foreach (var (key, value) in memory.Settings.Where(s => _settings.TryGetValue(s.Key, out var known) && known.Accepts(s.Value)))
            _settings[key].Set(value);
    }

    public BandwidthCap BandwidthCap { get; }

    public UploadWindows Windows => Volatile.Read(ref _windows);

    public TimeSpan TelemetryInterval => TimeSpan.FromSeconds(Volatile.Read(ref _telemetrySeconds));

    /// <summary>Told of other <see cref="Windows"/>.</summary>
    public event Action<UploadWindows>? WindowsChanged;

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
            if (!_settings.TryGetValue(key, out var setting))
                throw new RefusedException($"'{key}' cannot be changed while the agent runs; these can: {string.Join(", ", _settings.Keys)}");
            if (!setting.Accepts(value))
                throw new RefusedException($"{key} is '{value}'; allowed is {setting.Allowed}");
        }
    }

    /// <summary>Applies and remembers settings that were checked.</summary>
    public void Apply(IReadOnlyDictionary<string, string> settings)
    {
        _memory.Remember(settings);
        foreach (var (key, value) in settings)
            _settings[key].Set(value);
    }

    private void SetWindows(string text)
    {
        UploadWindows.TryParse(text, out var windows);
        Volatile.Write(ref _windows, windows);
        WindowsChanged?.Invoke(windows);
    }

    private static Setting Bytes(Action<long> set) => new(
        "a whole number of at least 0",
        text => long.TryParse(text, CultureInfo.InvariantCulture, out var bytes) && bytes >= 0,
        text => set(long.Parse(text, CultureInfo.InvariantCulture)));

    /// <summary>What a setting may be, and how it is set.</summary>
    private sealed record Setting(string Allowed, Func<string, bool> Accepts, Action<string> Set);
}
