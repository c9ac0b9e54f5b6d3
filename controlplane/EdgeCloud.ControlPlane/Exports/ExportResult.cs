using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>What a succeeded export is as a download.</summary>
internal static class ExportResult
{
    private static readonly string[] About = ["manifest.json", "README.md"];

    /// <summary>The one data file of an export that has no other; null for exports of several, and while there is none.</summary>
    public static async Task<ExportFile?> SingleFileAsync(CatalogueDb db, ExportJob export, CancellationToken cancellation)
    {
        if (export.State != ExportState.Succeeded || export.Files > About.Length + 1)
            return null;
        var files = await db.ExportFiles.AsNoTracking()
            .Where(f => f.ExportId == export.Id && !About.Contains(f.Path)).OrderBy(f => f.Path).Take(2).ToListAsync(cancellation);
        return files is [var one] ? one : null;
    }

    /// <summary>The name under which it downloads: the export's, with the file's extension.</summary>
    public static string FileName(ExportJob export, ExportFile file)
    {
        var extension = Path.GetExtension(file.Path);
        return export.FileName.EndsWith(extension, StringComparison.Ordinal) ? export.FileName : export.FileName + extension;
    }
}
