using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EdgeCloud.ControlPlane.Catalogue.Migrations;

/// <summary>Exports in parts: parts and files of exports, and the tables of the scheduler that spreads parts over workers.</summary>
[DbContext(typeof(CatalogueDb))]
[Migration("20261125180000_export_engine")]
internal sealed class ExportEngine : SqlMigration;
