using System.Globalization;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;

namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>Registers the catalogue: the <see cref="CatalogueDb"/> factory, the stream of <see cref="Changes"/>, partitions, protection keys.</summary>
public static class CatalogueSetup
{
    /// <summary>The configuration key of the PostgreSQL connection string.</summary>
    public const string ConnectionStringKey = "ConnectionStrings:Catalogue";

    private const long MigrationLock = 0x45_43_4d_49_47; // any number that nobody else takes

    /// <summary>The catalogue's part of the container.</summary>
    /// <exception cref="ConfigurationException">There is no connection string, or it cannot be read.</exception>
    public static void AddCatalogue(this IHostApplicationBuilder builder)
    {
        var dataSource = OpenDataSource(builder.Configuration);
        builder.Services.AddSingleton(dataSource);
        builder.Services.AddDbContextFactory<CatalogueDb>(options => Configure(options, dataSource));
        builder.Services.AddSingleton<Changes>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Changes>());
        builder.Services.AddHostedService<Housekeeping>();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddDataProtection().SetApplicationName("edgecloud-controlplane");
        builder.Services.AddOptions<KeyManagementOptions>().Configure<IDbContextFactory<CatalogueDb>>(
            (options, catalogue) => options.XmlRepository = new DataProtectionKeys(catalogue));
    }

    /// <summary>The bucket beside it.</summary>
    /// <exception cref="ConfigurationException">A key of the section <c>S3</c> is missing or wrong.</exception>
    public static void AddBucket(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(BucketSettings.Read(builder.Configuration));
        builder.Services.AddSingleton<Bucket>();
    }

    /// <summary>How a <see cref="CatalogueDb"/> is reached; for the container and for tests.</summary>
    public static DbContextOptionsBuilder Configure(DbContextOptionsBuilder options, NpgsqlDataSource dataSource) => options
        .UseNpgsql(dataSource, postgres => postgres.MigrationsHistoryTable("migrations"))
        // Migrations are SQL written by hand, without a snapshot of the model; a test compares the schema with the model instead.
        .ConfigureWarnings(warnings => warnings.Ignore(RelationalEventId.PendingModelChangesWarning));

    /// <summary>Applies what migrations are missing, one process at a time, and makes the partitions that will be needed.</summary>
    public static async Task MigrateAsync(IServiceProvider services, CancellationToken cancellation)
    {
        await using var db = await services.GetRequiredService<IDbContextFactory<CatalogueDb>>().CreateDbContextAsync(cancellation);
        await MigrateAsync(db, cancellation);
    }

    /// <summary>
    /// The same, for tests. EF's own lock is let go between two migrations, when another process may apply the next one that this one
    /// still has on its list; so there is one more lock around all of them.
    /// </summary>
    public static async Task MigrateAsync(CatalogueDb db, CancellationToken cancellation)
    {
        var creator = db.GetService<IRelationalDatabaseCreator>();
        if (!await creator.ExistsAsync(cancellation))
            await creator.CreateAsync(cancellation);
        await db.Database.OpenConnectionAsync(cancellation);
        try
        {
            await db.Database.ExecuteSqlAsync($"select pg_advisory_lock({MigrationLock})", cancellation);
            await db.Database.MigrateAsync(cancellation);
            await Partitions.EnsureAsync(db, DateTimeOffset.UtcNow, cancellation);
            await db.Database.ExecuteSqlAsync($"select pg_advisory_unlock({MigrationLock})", cancellation);
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    /// <summary>Connections to the catalogue's database.</summary>
    /// <param name="configuration">Where the connection string is.</param>
    /// <param name="name">What they are for.</param>
    /// <param name="patience">How long the database lets a transaction stand still before it ends it and frees its locks; null for ever.</param>
    /// <exception cref="ConfigurationException">The connection string is missing or wrong.</exception>
    internal static NpgsqlDataSource OpenDataSource(IConfiguration configuration, string name = "catalogue", TimeSpan? patience = null)
    {
        var connectionString = configuration.Require(ConnectionStringKey,
            "the catalogue's PostgreSQL connection, such as \"Host=localhost;Database=edgecloud;Username=edgecloud;Password=...\"");
        try
        {
            var builder = new NpgsqlDataSourceBuilder(connectionString) { Name = name };
            if (patience is { } limit)
                builder.ConnectionStringBuilder.Options += string.Create(CultureInfo.InvariantCulture, $" -c idle_in_transaction_session_timeout={limit.TotalMilliseconds:0}");
            return builder.Build();
        }
        catch (ArgumentException e)
        {
            throw new ConfigurationException($"{ConnectionStringKey} cannot be read: {e.Message}");
        }
    }
}
