using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EdgeCloud.ControlPlane.Catalogue.Migrations;

/// <summary>A cancelled export is over at once: nobody asks for it any more.</summary>
[DbContext(typeof(CatalogueDb))]
[Migration("20261125224000_no_cancel_request")]
internal sealed class NoCancelRequest : SqlMigration;
