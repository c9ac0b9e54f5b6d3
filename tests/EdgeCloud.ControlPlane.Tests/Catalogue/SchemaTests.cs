using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql;

namespace EdgeCloud.ControlPlane.Tests.Catalogue;

/// <summary>
/// Migrations are written by hand, so nothing but this keeps them and the model together: each compares what PostgreSQL says about the
/// migrated schema with what EF's relational model says, one line per thing, and shows both lists when they differ.
/// </summary>
public sealed class SchemaTests(PostgresServer server, CatalogueDatabase catalogue) : IClassFixture<CatalogueDatabase>
{
    [Fact]
    public async Task Columns_have_the_names_types_and_nullability_of_the_model()
    {
        const string Sql = """
            select format('%s.%s %s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod),
                          case when a.attnotnull then ' not null' else '' end,
                          case when a.attidentity <> '' then ' identity' else '' end)
            from pg_attribute a join pg_class c on c.oid = a.attrelid
            where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and not c.relispartition
              and a.attnum > 0 and not a.attisdropped and c.relname <> 'migrations'
            """;
        var expected = Tables().SelectMany(table => table.Columns.Select(column =>
            $"{table.Name}.{column.Name} {FullTypeName(column.StoreType)}{(column.IsNullable ? "" : " not null")}{(IsIdentity(column) ? " identity" : "")}"));
        await AssertSameAsync(expected, Sql);
    }

    [Fact]
    public async Task Primary_keys_unique_constraints_and_foreign_keys_are_those_of_the_model()
    {
        const string Sql = """
            select format('%s %s %s', c.relname, k.conname, pg_get_constraintdef(k.oid))
            from pg_constraint k join pg_class c on c.oid = k.conrelid
            where c.relnamespace = 'public'::regnamespace and not c.relispartition and c.relname <> 'migrations'
            """;
        var expected = Tables().SelectMany(table =>
            table.UniqueConstraints.Select(key =>
                $"{table.Name} {key.Name} {(key.GetIsPrimaryKey() ? "PRIMARY KEY" : "UNIQUE")} ({Names(key.Columns)})")
            .Concat(table.ForeignKeyConstraints.Select(key =>
                $"{table.Name} {key.Name} FOREIGN KEY ({Names(key.Columns)}) REFERENCES {key.PrincipalTable.Name}({Names(key.PrincipalColumns)})"
                + (key.OnDeleteAction == ReferentialAction.Cascade ? " ON DELETE CASCADE" : ""))));
        await AssertSameAsync(expected, Sql);
    }

    [Fact]
    public async Task Indexes_are_those_of_the_model()
    {
        const string Sql = """
            select format('%s %s%s (%s)%s', c.relname, i.relname, case when x.indisunique then ' unique' else '' end,
                          (select string_agg(a.attname, ', ' order by k.place)
                           from unnest(x.indkey) with ordinality k (attnum, place)
                           join pg_attribute a on a.attrelid = x.indrelid and a.attnum = k.attnum),
                          case when x.indpred is null then '' else ' filtered' end)
            from pg_index x join pg_class i on i.oid = x.indexrelid join pg_class c on c.oid = x.indrelid
            where c.relnamespace = 'public'::regnamespace and not c.relispartition and c.relname <> 'migrations'
              and not exists (select 1 from pg_constraint k where k.conindid = x.indexrelid and k.contype in ('p', 'u'))
            """;
        var expected = Tables().SelectMany(table => table.Indexes.Select(index =>
            $"{table.Name} {index.Name}{(index.IsUnique ? " unique" : "")} ({Names(index.Columns)}){(index.Filter is null ? "" : " filtered")}"));
        await AssertSameAsync(expected, Sql);
    }

    [Fact]
    public async Task Many_processes_may_migrate_an_empty_database_at_the_same_time()
    {
        await using var dataSource = NpgsqlDataSource.Create(await server.CreateDatabaseAsync());
        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            await using var db = new CatalogueDb(CatalogueDatabase.Options(dataSource));
            await CatalogueSetup.MigrateAsync(db, CancellationToken.None);
        }));
        await using var check = new CatalogueDb(CatalogueDatabase.Options(dataSource));
        Assert.Equal(check.Database.GetMigrations(), await check.Database.GetAppliedMigrationsAsync());
    }

    private IEnumerable<ITable> Tables()
    {
        using var db = catalogue.CreateDbContext();
        return [.. db.GetService<IDesignTimeModel>().Model.GetRelationalModel().Tables];
    }

    private static string Names(IEnumerable<IColumnBase> columns) => string.Join(", ", columns.Select(c => c.Name));

    private static bool IsIdentity(IColumn column) =>
        column.PropertyMappings.Any(m => m.Property.ValueGenerated == ValueGenerated.OnAdd && m.Property.ClrType != typeof(Guid));

    private static string FullTypeName(string storeType) => storeType.Replace("varchar", "character varying");

    private async Task AssertSameAsync(IEnumerable<string> expected, string sql)
    {
        await using var command = catalogue.DataSource.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync();
        var actual = new List<string>();
        while (await reader.ReadAsync())
            actual.Add(reader.GetString(0));
        Assert.NotEmpty(actual);
        Assert.Equal(Lines(expected), Lines(actual));
    }

    private static string Lines(IEnumerable<string> lines) => string.Join('\n', lines.Order(StringComparer.Ordinal));
}
