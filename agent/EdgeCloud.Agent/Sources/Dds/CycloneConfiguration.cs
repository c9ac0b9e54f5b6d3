using System.Globalization;
using System.Security;
using System.Text;
using EdgeCloud.Agent.Configuration;

namespace EdgeCloud.Agent.Sources.Dds;

/// <summary>
/// What CycloneDDS is told. Its own defaults are good for a robot; this adds receive buffers that hold messages of megabytes, then whatever
/// CYCLONEDDS_URI says to everybody on the robot, then the agent's own settings, of which the later win.
/// </summary>
internal static class CycloneConfiguration
{
    /// <summary>Asked of the kernel for each socket: with less, best-effort messages of 1 MB lose fragments.</summary>
    public const int ReceiveBufferBytes = 8 << 20;

    private const string BufferLimit = "/proc/sys/net/core/rmem_max";

    /// <summary>The configuration as CycloneDDS takes it: XML and URIs, separated by commas.</summary>
    public static string Compose(DdsSettings settings, string? cycloneUri)
    {
        var text = new StringBuilder(
            $"<CycloneDDS><Domain><Internal><SocketReceiveBufferSize max=\"{ReceiveBufferBytes}B\"/></Internal></Domain></CycloneDDS>");
        if (!string.IsNullOrWhiteSpace(cycloneUri))
            text.Append(',').Append(cycloneUri.Trim());
        var own = Own(settings);
        if (own.Length > 0)
            text.Append(",<CycloneDDS><Domain>").Append(own).Append("</Domain></CycloneDDS>");
        return text.ToString();
    }

    /// <summary>A warning when the kernel grants less than is asked for; null when all is well.</summary>
    public static string? BufferWarning()
    {
        if (!File.Exists(BufferLimit) || !long.TryParse(File.ReadAllText(BufferLimit), CultureInfo.InvariantCulture, out var most))
            return null;
        return most >= ReceiveBufferBytes ? null
            : $"net.core.rmem_max is {most}, so best-effort messages of a megabyte may lose fragments: sysctl -w net.core.rmem_max={ReceiveBufferBytes}";
    }

    private static string Own(DdsSettings settings)
    {
        var text = new StringBuilder();
        var general = new StringBuilder();
        if (settings.Interfaces.Count > 0)
        {
            general.Append("<Interfaces>");
            foreach (var name in settings.Interfaces)
            {
                // A name such as eth0, or an address of the interface.
                var by = System.Net.IPAddress.TryParse(name, out var address) ? "address" : "name";
                // The loopback takes multicast, but the system does not say so.
                var isLoopback = address is null ? name == "lo" : System.Net.IPAddress.IsLoopback(address);
                var multicast = isLoopback && settings.Multicast is not DdsMulticast.Off ? " multicast=\"true\"" : "";
                general.Append(CultureInfo.InvariantCulture, $"<NetworkInterface {by}=\"{SecurityElement.Escape(name)}\"{multicast}/>");
            }
            general.Append("</Interfaces>");
        }
        if (settings.Multicast is { } where)
            general.Append(CultureInfo.InvariantCulture, $"<AllowMulticast>{Word(where)}</AllowMulticast>");
        if (general.Length > 0)
            text.Append("<General>").Append(general).Append("</General>");
        if (settings.Peers.Count > 0 || settings.Multicast is DdsMulticast.Off)
        {
            // Without multicast the others find this participant at the well-known ports of an index.
            text.Append("<Discovery><ParticipantIndex>auto</ParticipantIndex><MaxAutoParticipantIndex>119</MaxAutoParticipantIndex><Peers>");
            foreach (var peer in settings.Peers)
                text.Append(CultureInfo.InvariantCulture, $"<Peer address=\"{SecurityElement.Escape(peer)}\"/>");
            text.Append("</Peers></Discovery>");
        }
        return text.ToString();
    }

    private static string Word(DdsMulticast multicast) => multicast switch
    {
        DdsMulticast.On => "true",
        DdsMulticast.Discovery => "spdp",
        _ => "false",
    };
}
