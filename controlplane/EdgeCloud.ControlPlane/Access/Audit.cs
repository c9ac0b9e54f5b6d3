using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>Puts on record who did what, in the transaction of the deed.</summary>
public static class Audit
{
    /// <summary>Adds an entry that is stored by the caller's next <c>SaveChanges</c>.</summary>
    public static void Record(this CatalogueDb db, Actor actor, string action, string subject, string detail, DateTimeOffset now) =>
        db.AuditEntries.Add(new AuditEntry
        {
            At = now,
            Actor = actor.Name,
            Action = action,
            Subject = subject,
            Detail = detail,
            Address = actor.Address,
        });
}
