using System.Security.Cryptography;
using DotNet.Testcontainers.Containers;

namespace EdgeCloud.Testing.Containers;

/// <summary>PostgreSQL in a container, with the user, the database and the settings of <c>infra/stack/postgres start --fast</c>.</summary>
internal sealed class PostgresContainer(string folder) : ServerContainer(folder)
{
    /// <inheritdoc/>
    protected override async Task<IContainer> CreateAsync()
    {
        var password = RandomNumberGenerator.GetHexString(32, lowercase: true);
        await File.WriteAllTextAsync(Path.Combine(Folder, "password"), password);
        // Over TCP, since the image first runs a server of its own on the socket alone to make the database.
        return Describe("postgres", 5432, "pg_isready", "--quiet", "--host=127.0.0.1", "--username=edgecloud", "--dbname=edgecloud")
            .WithEnvironment("POSTGRES_USER", "edgecloud")
            .WithEnvironment("POSTGRES_DB", "edgecloud")
            .WithEnvironment("POSTGRES_PASSWORD", password)
            .WithEnvironment("POSTGRES_INITDB_ARGS", "--encoding=UTF8 --locale=C.UTF-8 --no-sync")
            .WithCommand("-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off", "-c", "max_connections=200")
            .Build();
    }

    /// <inheritdoc/>
    public override Task DoAsync(string verb, params string[] arguments) => verb switch
    {
        "create-database" => RunInsideAsync("createdb", "--username=edgecloud", arguments[0]),
        _ => throw new ArgumentOutOfRangeException(nameof(verb), verb, "PostgreSQL in a container knows create-database only."),
    };
}
