using Microsoft.Extensions.DependencyInjection;
using Quartz;

namespace EdgeCloud.ControlPlane.Tests.Catalogue;

/// <summary>The migration makes the scheduler's tables by hand; the library can make them, too, and knows best.</summary>
public sealed class SchedulerTablesTests(CatalogueDatabase catalogue) : IClassFixture<CatalogueDatabase>
{
    [Fact]
    public async Task The_schedulers_tables_are_those_that_its_library_would_make()
    {
        await using (var create = catalogue.DataSource.CreateCommand("create schema reference"))
            await create.ExecuteNonQueryAsync();
        var services = new ServiceCollection();
        services.AddLogging();
        services.AddQuartz(quartz =>
        {
            quartz.ConfigureScheduler(scheduler => scheduler.InstanceName = "reference");
            quartz.UsePersistentStore(store =>
            {
                store.UsePostgres(source => source.DataSourceFactory = _ => catalogue.DataSource);
                store.ConfigureStore(options => options.TablePrefix = "reference.qrtz_");
                store.ProvisionSchema();
            });
        });
        await using (var provider = services.BuildServiceProvider())
        {
            var scheduler = await provider.GetRequiredService<ISchedulerFactory>().GetScheduler();
            await scheduler.Start();
            await scheduler.Shutdown();
        }

        var expected = await DescribeAsync("reference");
        Assert.NotEmpty(expected);
        Assert.Equal(expected, await DescribeAsync("quartz"));
    }

    private async Task<string> DescribeAsync(string schema)
    {
        await using var command = catalogue.DataSource.CreateCommand(
            $"""
            select format('%s.%s %s%s%s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), case when a.attnotnull then ' not null' else '' end,
                          ' ' || coalesce(pg_get_expr(d.adbin, d.adrelid), ''))
            from pg_attribute a join pg_class c on c.oid = a.attrelid left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
            where c.relnamespace = '{schema}'::regnamespace and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
            union all
            select replace(format('%s %s', c.relname, pg_get_constraintdef(k.oid)), '{schema}.', '')
            from pg_constraint k join pg_class c on c.oid = k.conrelid where c.relnamespace = '{schema}'::regnamespace
            union all
            select replace(replace(pg_get_indexdef(x.indexrelid), '{schema}.', ''), 'reference_', '')
            from pg_index x join pg_class c on c.oid = x.indrelid
            where c.relnamespace = '{schema}'::regnamespace and not x.indisprimary
            order by 1
            """);
        await using var reader = await command.ExecuteReaderAsync();
        var lines = new List<string>();
        while (await reader.ReadAsync())
            lines.Add(reader.GetString(0));
        return string.Join('\n', lines);
    }
}
