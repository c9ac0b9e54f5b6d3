using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EdgeCloud.ControlPlane.Catalogue.Migrations;

/// <summary>The first schema.</summary>
[DbContext(typeof(CatalogueDb))]
[Migration("20260301000000_initial")]
internal sealed class Initial : SqlMigration;
