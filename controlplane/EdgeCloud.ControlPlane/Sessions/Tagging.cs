using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Sessions;

/// <summary>Puts tags on robots and sessions and takes them off, for the API and the portal alike. Doing so twice changes nothing.</summary>
public sealed class Tagging(IDbContextFactory<CatalogueDb> catalogue, TimeProvider clock)
{
    /// <summary>Most tags of one robot or session.</summary>
    public const int MaxTags = 50;

    /// <summary>Changes a session's tags and returns them. Whoever calls has checked <see cref="Policies.Annotate"/>.</summary>
    /// <exception cref="RequestException">There is no such session, or a tag is not allowed.</exception>
    public async Task<string[]> TagSessionAsync(
        Guid id, IReadOnlyList<string> add, IReadOnlyList<string> remove, Actor actor, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var session = await db.Sessions.FromSql($"select * from sessions where id = {id} for update").IgnoreQueryFilters().SingleOrDefaultAsync(cancellation);
        if (session is not { DeletedAt: null })
            throw RequestException.NotFound($"There is no session {id}.");
        session.Tags = Changed(session.Tags, add, remove);
        Record(db, actor, $"session:{id}", add, remove);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return session.Tags;
    }

    /// <summary>Changes a robot's tags and returns them. Whoever calls has checked <see cref="Policies.Annotate"/>.</summary>
    /// <exception cref="RequestException">There is no such robot, or a tag is not allowed.</exception>
    public async Task<string[]> TagRobotAsync(
        string id, IReadOnlyList<string> add, IReadOnlyList<string> remove, Actor actor, CancellationToken cancellation)
    {
        await using var db = await catalogue.CreateDbContextAsync(cancellation);
        await using var transaction = await db.Database.BeginTransactionAsync(cancellation);
        var robot = await db.Robots.FromSql($"select * from robots where id = {id} for update").SingleOrDefaultAsync(cancellation)
            ?? throw RequestException.NotFound($"There is no robot '{id}'.");
        robot.Tags = Changed(robot.Tags, add, remove);
        Record(db, actor, $"robot:{id}", add, remove);
        await db.SaveChangesAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return robot.Tags;
    }

    private static string[] Changed(string[] tags, IReadOnlyList<string> add, IReadOnlyList<string> remove)
    {
        string[] changed = [.. tags.Except(remove).Union(add.Select(TextRules.Tag)).Order(StringComparer.Ordinal)];
        return changed.Length <= MaxTags ? changed : throw RequestException.Invalid("tag", $"at most {MaxTags} tags");
    }

    private void Record(CatalogueDb db, Actor actor, string subject, IReadOnlyList<string> add, IReadOnlyList<string> remove) =>
        db.Record(actor, "tags.change", subject, string.Join(", ", [.. add.Select(t => "+" + t), .. remove.Select(t => "-" + t)]), clock.GetUtcNow());
}
