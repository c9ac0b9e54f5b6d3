using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EdgeCloud.ControlPlane.Catalogue.Migrations;

/// <summary>Excerpts of segments, for previews.</summary>
[DbContext(typeof(CatalogueDb))]
[Migration("20260302060000_previews")]
internal sealed class Previews : SqlMigration;
