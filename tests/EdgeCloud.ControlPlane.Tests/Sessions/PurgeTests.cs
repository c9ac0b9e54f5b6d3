using Amazon.S3.Model;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.ControlPlane.Sessions.Preview;
using EdgeCloud.ControlPlane.Tests.Catalogue;
using EdgeCloud.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace EdgeCloud.ControlPlane.Tests.Sessions;

/// <summary>What is deleted is gone for good after its time of grace, also what arrives later, and nothing else is touched.</summary>
public sealed class PurgeTests(CatalogueDatabase catalogue, S3Server s3) : IClassFixture<CatalogueDatabase>
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Objects_and_rows_go_when_the_grace_is_over_and_what_comes_late_goes_too()
    {
        using var bucket = new Bucket(new BucketSettings(new Uri(s3.Endpoint), null, s3.Region, await s3.CreateBucketAsync(), "", s3.Owner.AccessKey, s3.Owner.SecretKey));
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Sessions:DeleteGraceHours", "0"), new("Sessions:PurgeIntervalSeconds", "1")]).Build();
        var (gone, kept) = (Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var id in new[] { gone, kept })
        {
            await AddAsync(id);
            await AddSegmentAsync(id, 1, bucket);
        }
        await new SessionDeletion(catalogue, configuration, TimeProvider.System).DeleteAsync(gone, new Actor("user:alice"), default);
        using var purge = new SessionPurge(catalogue, bucket, configuration, TimeProvider.System, NullLogger<SessionPurge>.Instance);
        await purge.StartAsync(default);
        await Eventually.Holds(async () => await KeysAsync(bucket, gone) == 0, Deadline, "the objects are gone");
        await Eventually.Holds(async () => await RowsAsync(gone) == 0, Deadline, "the rows are gone");

        await AddSegmentAsync(gone, 2, bucket);
        await Eventually.Holds(async () => await RowsAsync(gone) == 0 && await KeysAsync(bucket, gone) == 0, Deadline, "what came late is gone too");
        await AddExcerptAsync(gone, 2, bucket);
        await Eventually.Holds(async () => await RowsAsync(gone) == 0 && await KeysAsync(bucket, gone) == 0, Deadline, "an excerpt that was just being made is gone too");
        await purge.StopAsync(default);

        Assert.Equal((2, 2), (await RowsAsync(kept), await KeysAsync(bucket, kept)));
        await using var db = catalogue.CreateDbContext();
        Assert.Equal(1, await db.AuditEntries.CountAsync(a => a.Action == "session.purge" && a.Subject == $"session:{gone}"));
        await Assert.ThrowsAsync<RequestException>(() => new SessionDeletion(catalogue, configuration, TimeProvider.System).RestoreAsync(gone, new Actor("user:alice"), default));
    }

    [Fact]
    public async Task What_an_event_holds_stays_until_the_event_is_deleted()
    {
        using var bucket = new Bucket(new BucketSettings(new Uri(s3.Endpoint), null, s3.Region, await s3.CreateBucketAsync(), "", s3.Owner.AccessKey, s3.Owner.SecretKey));
        var configuration = new ConfigurationBuilder().AddInMemoryCollection([new("Sessions:DeleteGraceHours", "0"), new("Sessions:PurgeIntervalSeconds", "1")]).Build();
        var deletion = new SessionDeletion(catalogue, configuration, TimeProvider.System);
        var (parent, made, other) = (Guid.CreateVersion7(), Guid.CreateVersion7(), Guid.CreateVersion7());
        foreach (var id in new[] { parent, other })
        {
            await AddAsync(id);
            await AddSegmentAsync(id, 1, bucket);
            await deletion.DeleteAsync(id, new Actor("user:alice"), default);
        }
        // Announced after its parent was deleted.
        await AddAsync(made);
        await using (var db = catalogue.CreateDbContext())
            await db.Database.ExecuteSqlAsync($"update sessions set parent = {parent} where id = {made}");

        using var purge = new SessionPurge(catalogue, bucket, configuration, TimeProvider.System, NullLogger<SessionPurge>.Instance);
        await purge.StartAsync(default);
        await Eventually.Holds(async () => await KeysAsync(bucket, other) == 0 && await RowsAsync(other) == 0, Deadline, "another one is gone");
        Assert.Equal((2, 2), (await RowsAsync(parent), await KeysAsync(bucket, parent)));

        await deletion.DeleteAsync(made, new Actor("user:alice"), default);
        await Eventually.Holds(async () => await KeysAsync(bucket, parent) == 0 && await RowsAsync(parent) == 0, Deadline, "it is gone after its event");
        await purge.StopAsync(default);
    }

    private async Task AddAsync(Guid id)
    {
        await using var db = catalogue.CreateDbContext();
        await db.Database.ExecuteSqlAsync($"insert into robots (id, online, first_seen_at, state_revision_epoch, state_revision_number, telemetry_revision_epoch, telemetry_revision_number) values ('purged', false, now(), 0, 0, 0, 0) on conflict do nothing");
        await db.Database.ExecuteSqlAsync($"insert into sessions (id, robot, date, object_prefix, revision_epoch, revision_number, name, state, reason, issuer, started_at, ended_at, lost, created_at, updated_at) values ({id}, 'purged', '2026-03-01', {$"{id}/"}, 0, 0, '', 'finished', '', '', now(), now(), 0, now(), now())");
    }

    private async Task AddSegmentAsync(Guid id, int sequence, Bucket bucket)
    {
        await PutAsync(bucket, $"{id}/{sequence}.mcap");
        await AddExcerptAsync(id, sequence, bucket);
        await using var db = catalogue.CreateDbContext();
        await db.Database.ExecuteSqlAsync(
            $$"""
            insert into segments (session_date, session_id, sequence, robot, custody, announced, revision_epoch, revision_number, reason, object_key, bytes, messages, lost, log_time_start_ns, log_time_end_ns, manifest, announced_at, updated_at)
            values ('2026-03-01', {{id}}, {{sequence}}, 'purged', 'released', 'released', 0, 0, '', '', 1, 1, 0, 0, 0, '{}', now(), now())
            """);
    }

    private async Task AddExcerptAsync(Guid id, int sequence, Bucket bucket)
    {
        var key = $"{SegmentExcerpt.Folder(id)}{sequence}.mcap";
        await PutAsync(bucket, key);
        await using var db = catalogue.CreateDbContext();
        await db.Database.ExecuteSqlAsync(
            $"""
            insert into segment_excerpts (session_date, session_id, sequence, sha256, object_key, bytes, e_tag, error, made_at)
            values ('2026-03-01', {id}, {sequence}, '', {key}, 1, '', '', now())
            """);
    }

    private static Task PutAsync(Bucket bucket, string key) =>
        bucket.Client.PutObjectAsync(new PutObjectRequest { BucketName = bucket.Name, Key = key, ContentBody = "x" });

    private async Task<int> RowsAsync(Guid id)
    {
        await using var db = catalogue.CreateDbContext();
        return await db.Segments.CountAsync(s => s.SessionId == id) + await db.SegmentExcerpts.CountAsync(e => e.SessionId == id);
    }

    private static async Task<int> KeysAsync(Bucket bucket, Guid id)
    {
        var keys = 0;
        foreach (var folder in Folders(id))
            keys += (await bucket.Client.ListObjectsV2Async(new ListObjectsV2Request { BucketName = bucket.Name, Prefix = folder })).S3Objects?.Count ?? 0;
        return keys;
    }

    // The recording, and what was made of it for previews.
    private static string[] Folders(Guid id) => [$"{id}/", SegmentExcerpt.Folder(id)];
}
