using System.Diagnostics.Metrics;
using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>What the fleet's side of the control plane counts.</summary>
public sealed class FleetMetrics
{
    private readonly Counter<long> _applied;
    private readonly Counter<long> _refused;
    private readonly Counter<long> _checked;

    /// <summary>Makes the instruments.</summary>
    public FleetMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(PrometheusText.MeterName);
        _applied = meter.CreateCounter<long>("edgecloud_messages_applied_total", description: "Messages of robots that were applied, by kind.");
        _refused = meter.CreateCounter<long>("edgecloud_messages_refused_total", description: "Messages of robots that were refused, by kind.");
        _checked = meter.CreateCounter<long>("edgecloud_segments_checked_total", description: "Uploaded objects that were checked, by result.");
    }

    internal void Applied(MqttTopicKind kind) => _applied.Add(1, Tag("kind", kind.ToString()));

    internal void Refused(MqttTopicKind kind) => _refused.Add(1, Tag("kind", kind.ToString()));

    internal void Checked(bool isSound) => _checked.Add(1, Tag("result", isSound ? "acknowledged" : "refused"));

    private static KeyValuePair<string, object?> Tag(string name, string value) => new(name, SnakeCaseNames.Of(value));
}
