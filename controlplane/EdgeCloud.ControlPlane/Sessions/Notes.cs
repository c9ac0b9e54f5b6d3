using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>
/// Notes about sessions, for the API and the portal alike. Only its author, by whatever key, and administrators change a note. Whoever
/// calls has checked <see cref="Policies.Annotate"/>.
/// </summary>
public sealed class Notes(IDbContextFactory<CatalogueDb> catalogue, TimeProvider clock)
{
    /// <summary>Writes a note.</summary>
    /// <exception cref="RequestException">There is no such session, or the text is not allowed.</exception>
    public async Task<SessionNote> AddAsync(Guid session, string text, Actor actor, CancellationToken cancellation)
    {
        text = TextRules.Text("text", text, required: true);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        if (!await db.Sessions.AnyAsync(s => s.Id == session, cancellation))
            throw RequestException.NotFound($"There is no session {session}.");
        var now = clock.GetUtcNow();
        var note = new SessionNote { Id = Guid.CreateVersion7(now), SessionId = session, Author = actor.Name, At = now, Text = text };
        db.SessionNotes.Add(note);
        db.Record(actor, "note.create", $"session:{session}", note.Id.ToString(), now);
        await db.SaveChangesAsync(cancellation);
        return note;
    }

    /// <summary>Changes a note; <paramref name="check"/> may refuse its present version.</summary>
    /// <exception cref="RequestException">There is no such note, it is somebody else's, or the text is not allowed.</exception>
    public async Task<SessionNote> EditAsync(
        Guid session, Guid id, string text, Action<int>? check, Actor actor, CancellationToken cancellation)
    {
        text = TextRules.Text("text", text, required: true);
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var note = await FindAsync(db, session, id, actor, cancellation);
        check?.Invoke(note.Version);
        var now = clock.GetUtcNow();
        note.Edit(text, now);
        db.Record(actor, "note.change", $"session:{session}", id.ToString(), now);
        await db.SaveChangesAsync(cancellation);
        return note;
    }

    /// <summary>Deletes a note.</summary>
    /// <exception cref="RequestException">There is no such note, or it is somebody else's.</exception>
    public async Task DeleteAsync(Guid session, Guid id, Action<int>? check, Actor actor, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        var note = await FindAsync(db, session, id, actor, cancellation);
        check?.Invoke(note.Version);
        db.SessionNotes.Remove(note);
        db.Record(actor, "note.delete", $"session:{session}", id.ToString(), clock.GetUtcNow());
        await db.SaveChangesAsync(cancellation);
    }

    private static async Task<SessionNote> FindAsync(CatalogueDb db, Guid session, Guid id, Actor actor, CancellationToken cancellation)
    {
        var note = await db.SessionNotes.SingleOrDefaultAsync(n => n.Id == id && n.SessionId == session, cancellation)
            ?? throw RequestException.NotFound($"Session {session} has no note {id}.");
        return actor.IsAdministrator || actor.IsSameUserAs(note.Author)
            ? note
            : throw RequestException.Forbidden($"The note is {note.Author}'s; only they and administrators change it.");
    }
}
