using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane;

/// <summary>What a process of the control plane does: <c>run --role all|web|worker</c>.</summary>
internal enum ProcessRole
{
    /// <summary>Everything: enough for a small fleet.</summary>
    All,
    /// <summary>Portal, API and robots; others make exports.</summary>
    Web,
    /// <summary>Makes exports, as many processes as it takes. Answers <c>/healthz</c>, <c>/readyz</c> and <c>/metrics</c>.</summary>
    Worker,
}

/// <summary>Reads the role.</summary>
internal static class ProcessRoles
{
    /// <summary>The role that the command line names. Not the environment: a variable ROLE may be there for other reasons.</summary>
    /// <exception cref="ConfigurationException">There is no such role.</exception>
    public static ProcessRole Of(string[] arguments) => new ConfigurationBuilder().AddCommandLine(arguments).Build()["role"] switch
    {
        null or "all" => ProcessRole.All,
        "web" => ProcessRole.Web,
        "worker" => ProcessRole.Worker,
        var other => throw new ConfigurationException($"--role is '{other}'; it must be all, web or worker."),
    };
}
