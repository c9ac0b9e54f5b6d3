using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EdgeCloud.ControlPlane.Catalogue.Migrations;

/// <summary>Tags, notes, events, deletion and search of sessions; saved views and recipes; webhooks; scopes of keys; idempotency keys.</summary>
[DbContext(typeof(CatalogueDb))]
[Migration("20261125010000_access_and_annotations")]
internal sealed class AccessAndAnnotations : SqlMigration;
