using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Testing;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace EdgeCloud.ControlPlane.Tests.Catalogue;

/// <summary>A migrated catalogue in a database of its own, on the assembly's PostgreSQL.</summary>
public sealed class CatalogueDatabase(PostgresServer server) : IAsyncLifetime, IDbContextFactory<CatalogueDb>
{
    private DbContextOptions<CatalogueDb> _options = null!;

    public string ConnectionString { get; private set; } = "";

    public NpgsqlDataSource DataSource { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        ConnectionString = await server.CreateDatabaseAsync();
        DataSource = NpgsqlDataSource.Create(ConnectionString);
        _options = Options(DataSource);
        await using var db = CreateDbContext();
        await CatalogueSetup.MigrateAsync(db, CancellationToken.None);
    }

    public CatalogueDb CreateDbContext() => new(_options);

    public async ValueTask DisposeAsync() => await DataSource.DisposeAsync();

    public static DbContextOptions<CatalogueDb> Options(NpgsqlDataSource dataSource)
    {
        var options = new DbContextOptionsBuilder<CatalogueDb>();
        CatalogueSetup.Configure(options, dataSource);
        return options.Options;
    }
}
