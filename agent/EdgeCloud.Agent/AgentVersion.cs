using System.Reflection;

namespace EdgeCloud.Agent;

/// <summary>The version of this program, as manifests and state carry it.</summary>
internal static class AgentVersion
{
    public static string Text { get; } =
        typeof(AgentVersion).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
}
