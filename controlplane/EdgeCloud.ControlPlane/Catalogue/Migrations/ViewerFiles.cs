using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EdgeCloud.ControlPlane.Catalogue.Migrations;

/// <summary>Merged files for viewers.</summary>
[DbContext(typeof(CatalogueDb))]
[Migration("20261125193000_viewer_files")]
internal sealed class ViewerFiles : SqlMigration;
