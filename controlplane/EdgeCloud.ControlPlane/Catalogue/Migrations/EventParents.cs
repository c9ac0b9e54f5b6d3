using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EdgeCloud.ControlPlane.Catalogue.Migrations;

/// <summary>Which session an event is a stretch of.</summary>
[DbContext(typeof(CatalogueDb))]
[Migration("20261125221000_event_parents")]
internal sealed class EventParents : SqlMigration;
