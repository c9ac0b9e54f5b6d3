using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace EdgeCloud.Benchmarks;

/// <summary>
/// The runtime as <c>EdgeCloud.Agent.csproj</c> and <c>infra/systemd</c> set it up: what costs an agent nothing must not be counted, nor what it
/// costs be left out. It trusts a certificate for 127.0.0.1 that is made for the run, so that servers can speak TLS as those of robots do.
/// </summary>
internal static class AgentRuntime
{
    private const string Trusted = "SSL_CERT_FILE";
    private const string GarbageBudget = "DOTNET_GCgen0size";

    private static readonly Dictionary<string, string> Settings = new()
    {
        ["DOTNET_TieredPGO"] = "0",
        ["DOTNET_ThreadPool_UnfairSemaphoreSpinLimit"] = "0",
        [GarbageBudget] = "400000",
    };

    /// <summary>What of it is not in the agent's own files but set where it is started.</summary>
    public static IReadOnlyDictionary<string, string> OfUnit { get; } = new Dictionary<string, string> { [GarbageBudget] = Settings[GarbageBudget] };

    /// <summary>Whether this process runs with other settings.</summary>
    public static bool IsOther => Settings.Any(s => Environment.GetEnvironmentVariable(s.Key) != s.Value);

    /// <summary>PEM files of the certificate and its key.</summary>
    public static (string Certificate, string Key) Tls
    {
        get
        {
            var certificate = Environment.GetEnvironmentVariable(Trusted) ?? throw new InvalidOperationException($"{Trusted} is not set.");
            return (certificate, certificate + ".key");
        }
    }

    /// <summary>Runs this program again with the agent's settings; returns its exit code.</summary>
    public static int Again(string[] args)
    {
        var folder = Directory.CreateTempSubdirectory("edgecloud-bench-");
        try
        {
            var start = new ProcessStartInfo(Environment.ProcessPath!, [typeof(AgentRuntime).Assembly.Location, .. args]);
            foreach (var (name, value) in Settings)
                start.Environment[name] = value;
            start.Environment[Trusted] = MakeCertificate(folder.FullName);
            using var process = Process.Start(start)!;
            process.WaitForExit();
            return process.ExitCode;
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static string MakeCertificate(string folder)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddIpAddress(IPAddress.Loopback);
        request.CertificateExtensions.Add(names.Build());
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        var path = Path.Combine(folder, "tls.pem");
        File.WriteAllText(path, certificate.ExportCertificatePem());
        File.WriteAllText(path + ".key", key.ExportPkcs8PrivateKeyPem());
        return path;
    }
}
