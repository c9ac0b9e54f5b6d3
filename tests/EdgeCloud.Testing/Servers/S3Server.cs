using Amazon.Runtime;
using Amazon.S3;
using Xunit;

namespace EdgeCloud.Testing;

/// <summary>A key pair of an S3 user.</summary>
/// <param name="AccessKey">Access key.</param>
/// <param name="SecretKey">Secret key.</param>
public sealed record S3Key(string AccessKey, string SecretKey);

/// <summary>
/// A real S3 server for tests, Ceph's radosgw with objects in memory, set up as in the local stack: a user that owns the buckets, and
/// one user per robot that may touch its own prefix only. It needs path-style addressing. It is Debian's also where a Docker engine
/// answers: MinIO, the S3 server of <c>docker-compose.yml</c>, does not list unfinished uploads below a prefix, which tests look at.
/// Share one per assembly with <c>[assembly: AssemblyFixture(typeof(S3Server))]</c> and give each test class a bucket of its own.
/// </summary>
public sealed class S3Server : IAsyncLifetime
{
    private readonly string _folder = StackScript.NewFolder("radosgw");
    private int _buckets;

    /// <summary>Address, without a bucket and without a slash at its end.</summary>
    public string Endpoint { get; private set; } = "";

    /// <summary>PEM files of a certificate for 127.0.0.1 and its key, with which it speaks TLS as well; null for none.</summary>
    public (string Certificate, string Key)? Tls { get; init; }

    /// <summary>The same over TLS; empty without <see cref="Tls"/>.</summary>
    public string SecureEndpoint { get; private set; } = "";

    /// <summary>Region to sign for.</summary>
    public string Region => "us-east-1";

    /// <summary>The control plane's key: owner of every bucket.</summary>
    public S3Key Owner => KeyOf("controlplane");

    /// <summary>A client that may do everything.</summary>
    public AmazonS3Client Connect() => new(new BasicAWSCredentials(Owner.AccessKey, Owner.SecretKey), new AmazonS3Config
    {
        ServiceURL = Endpoint,
        AuthenticationRegion = Region,
        ForcePathStyle = true,
        RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
        ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
    });

    /// <summary>Makes an empty bucket and returns its name.</summary>
    public async Task<string> CreateBucketAsync()
    {
        var name = $"bucket-{Interlocked.Increment(ref _buckets)}";
        await StackScript.RunAsync("radosgw", "add-bucket", "--dir", _folder, name);
        return name;
    }

    /// <summary>
    /// The key of a robot that may write and read <c>{prefix}/robot={robot}/*</c> in <paramref name="bucket"/> and nothing else. It may
    /// not delete, and a HEAD of an object that is not there answers 403.
    /// </summary>
    public async Task<S3Key> AddRobotAsync(string bucket, string prefix, string robot)
    {
        await StackScript.RunAsync("radosgw", "add-robot", "--dir", _folder, "--bucket", bucket, "--prefix", prefix, robot);
        return KeyOf($"robot-{robot}");
    }

    /// <inheritdoc/>
    public async ValueTask InitializeAsync()
    {
        await StackScript.StartAsync("radosgw", _folder, Tls is var (certificate, key) ? ["--memory", "--certificate", certificate, "--key", key] : ["--memory"]);
        Endpoint = $"http://127.0.0.1:{StackScript.ReadLine(_folder, "port")}";
        SecureEndpoint = Tls is null ? "" : $"https://127.0.0.1:{StackScript.ReadLine(_folder, "tls-port")}";
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await StackScript.RunAsync("radosgw", "stop", "--dir", _folder, "--wipe");

    private S3Key KeyOf(string user)
    {
        var lines = File.ReadAllLines(Path.Combine(_folder, "credentials", user));
        return new S3Key(lines[0], lines[1]);
    }
}
