using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Access;

/// <summary>Puts on record who did what, in the transaction of the deed.</summary>
public static class Audit
{
    /// <summary>Entries, newest first; what is null asks for nothing.</summary>
    public static IQueryable<AuditEntry> Query(
        CatalogueDb db, string? actor, string? action, string? subject, DateTimeOffset? from, DateTimeOffset? to, long? before)
    {
        var entries = db.AuditEntries.AsNoTracking();
        if (!string.IsNullOrEmpty(actor))
            entries = entries.Where(a => a.Actor == actor);
        if (!string.IsNullOrEmpty(action))
            entries = entries.Where(a => a.Action == action);
        if (!string.IsNullOrEmpty(subject))
            entries = entries.Where(a => a.Subject == subject);
        if (from is not null)
            entries = entries.Where(a => a.At >= from);
        if (to is not null)
            entries = entries.Where(a => a.At < to);
        if (before is not null)
            entries = entries.Where(a => a.Id < before);
        return entries.OrderByDescending(a => a.Id);
    }

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
