using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EdgeCloud.ControlPlane.Catalogue.Migrations;

/// <summary>Indexes that a large fleet needs.</summary>
[DbContext(typeof(CatalogueDb))]
[Migration("20261125120000_scale_indexes")]
internal sealed class ScaleIndexes : SqlMigration;
