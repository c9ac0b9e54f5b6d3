using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace EdgeCloud.ControlPlane.Catalogue.Migrations;

/// <summary>What events hold, for the search.</summary>
[DbContext(typeof(CatalogueDb))]
[Migration("20261126031000_event_topics")]
internal sealed class EventTopics : SqlMigration;
