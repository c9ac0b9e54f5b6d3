using Microsoft.EntityFrameworkCore.Migrations;

namespace EdgeCloud.ControlPlane.Catalogue.Migrations;

/// <summary>
/// A migration that is the SQL file of its own name beside it, embedded in the assembly. It runs in one transaction, under EF's lock.
/// There is no way down: a backup is.
/// </summary>
internal abstract class SqlMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(ReadSql(GetType()));

    protected override void Down(MigrationBuilder migrationBuilder) =>
        throw new NotSupportedException("The catalogue is not migrated backwards; restore a backup that the older version made.");

    private static string ReadSql(Type migration)
    {
        var name = $"{migration.Namespace}.{migration.Name}.sql";
        using var stream = migration.Assembly.GetManifestResourceStream(name)
            ?? throw new InvalidOperationException($"The assembly has no resource {name}.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
