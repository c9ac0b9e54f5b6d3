using System.Diagnostics.Metrics;
using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>What the making of exports counts.</summary>
internal sealed class ExportMetrics
{
    private readonly Counter<long> _parts;
    private readonly Counter<long> _bytes;
    private int _waiting;

    public ExportMetrics(IMeterFactory meters)
    {
        var meter = meters.Create(PrometheusText.MeterName);
        _parts = meter.CreateCounter<long>("edgecloud_export_parts_total", description: "Parts of exports that ended here, by kind and result.");
        _bytes = meter.CreateCounter<long>("edgecloud_export_read_bytes_total", description: "Bytes of segments that were read for exports.");
        meter.CreateObservableGauge("edgecloud_export_parts_waiting", () => Volatile.Read(ref _waiting), description: "Parts of exports that any worker may take up.");
    }

    public void Ended(PartKind kind, string result, long bytesRead)
    {
        _parts.Add(1, new("kind", SnakeCaseNames.Of(kind.ToString())), new("result", result));
        _bytes.Add(bytesRead);
    }

    public void Waiting(int parts) => Volatile.Write(ref _waiting, parts);
}
