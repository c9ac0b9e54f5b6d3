using System.IO.Compression;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.ControlPlane.Exports;
using EdgeCloud.ControlPlane.Tests.Catalogue;
using EdgeCloud.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Tests.Exports;

/// <summary>A zip file either holds the whole export or is none.</summary>
public sealed class ExportZipTests(CatalogueDatabase catalogue, S3Server s3) : IClassFixture<CatalogueDatabase>
{
    [Fact]
    public async Task A_download_of_which_a_file_is_gone_is_no_zip_file()
    {
        using var bucket = new Bucket(new BucketSettings(new Uri(s3.Endpoint), null, s3.Region, await s3.CreateBucketAsync(), "", s3.Owner.AccessKey, s3.Owner.SecretKey));
        var export = new ExportJob
        {
            Id = Guid.CreateVersion7(),
            Request = new ExportRequest { Sessions = [] },
            Owner = "user:alice",
            CreatedAt = DateTimeOffset.UtcNow,
            State = ExportState.Succeeded,
            FileName = "walk",
        };
        await using var db = catalogue.CreateDbContext();
        db.Exports.Add(export);
        db.ExportParts.Add(new ExportPartJob { ExportId = export.Id, Number = 1, Kind = PartKind.Data, Name = "all", DueAt = DateTimeOffset.UtcNow });
        foreach (var path in new[] { "a.mcap", "b.mcap" })
        {
            var key = $"exports/{export.Id}/{path}";
            await bucket.Client.PutObjectAsync(new() { BucketName = bucket.Name, Key = key, ContentBody = path });
            db.ExportFiles.Add(new ExportFile { ExportId = export.Id, UploadId = path, Part = 1, Fence = 1, Path = path, ObjectKey = key, State = FileState.Complete });
        }
        await db.SaveChangesAsync();

        using (var whole = new ZipArchive(await DownloadAsync(db, bucket, export, isWhole: true)))
            Assert.Equal(["walk/a.mcap", "walk/b.mcap"], whole.Entries.Select(e => e.FullName));

        await bucket.DeleteAsync($"exports/{export.Id}/b.mcap", default);
        var part = await DownloadAsync(db, bucket, export, isWhole: false);
        Assert.Throws<InvalidDataException>(() => new ZipArchive(part));
    }

    private static async Task<MemoryStream> DownloadAsync(CatalogueDb db, Bucket bucket, ExportJob export, bool isWhole)
    {
        var body = new MemoryStream();
        var context = new DefaultHttpContext { Response = { Body = body } };
        var failure = await Record.ExceptionAsync(() => new ExportZip(db, bucket, export).ExecuteAsync(context));
        Assert.Equal(isWhole, failure is null);
        Assert.NotEqual(0, body.Length);
        return new MemoryStream(body.ToArray());
    }
}
