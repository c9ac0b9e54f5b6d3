using System.Globalization;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Net.Http.Headers;

namespace EdgeCloud.ControlPlane.Sessions.Preview;

/// <summary>What of a session can be looked at, in the API; and the same for the portal's scripts, which come with a cookie and only read.</summary>
public static class PreviewApi
{
    private const int WidthMax = 4096;
    private const int LinesMax = 1000;
    private static readonly TimeSpan PatienceMax = TimeSpan.FromSeconds(30);

    /// <summary>Maps the endpoints of the API.</summary>
    public static void MapPreviewApi(this IEndpointRouteBuilder api)
    {
        var preview = api.MapGroup("/sessions/{id:guid}/preview").WithTags("previews").RequireAuthorization(Policies.Read);
        preview.MapGet("/topics", TopicsAsync).WithName("listPreviewTopics").WithSummary("List what of a session can be looked at").ProducesProblem(404);
        preview.MapGet("/fields", FieldsAsync).WithName("listPreviewFields").WithSummary("List what of a topic can be plotted")
            .ProducesValidationProblem().ProducesProblem(404);
        preview.MapGet("/series", SeriesAsync).WithName("getSeries").WithSummary("Read up to six fields over time, for a plot")
            .ProducesValidationProblem().ProducesProblem(404);
        preview.MapGet("/frame", FrameAsync).WithName("getFrame").WithSummary("Draw the last image or point cloud up to a moment")
            .Produces<FileContentHttpResult>(200, "image/png", "image/jpeg", "image/webp").ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409);
        preview.MapGet("/message", MessageAsync).WithName("getMessage").WithSummary("Show the last message of a topic up to a moment")
            .ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409);
        preview.MapGet("/log", LogAsync).WithName("listLogLines").WithSummary("List log messages and diagnoses, newest first")
            .ProducesValidationProblem().ProducesProblem(404);
        preview.MapPost("/viewer", OpenAsync).WithName("openInViewer")
            .WithSummary("Merge a part of a session into one file and link to it in Foxglove and Lichtblick; the same part is made once")
            .RequireAuthorization(Policies.Export).ProducesValidationProblem().ProducesProblem(404).ProducesProblem(409);
    }

    /// <summary>Maps those that the portal's own scripts and images ask for.</summary>
    public static void MapPreviewPages(this IEndpointRouteBuilder app)
    {
        var preview = app.MapGroup("/sessions/{id:guid}/preview").RequireAuthorization(Policies.Read).ExcludeFromDescription().WithMetadata(new ProblemAnswers());
        preview.MapGet("/series", SeriesAsync);
        preview.MapGet("/frame", FrameAsync);
    }

    private static async Task<Ok<PreviewTopicsView>> TopicsAsync(
        CatalogueDb db, Guid id, [FromQuery(Name = "from_ns")] long? from, [FromQuery(Name = "to_ns")] long? to, CancellationToken cancellation) =>
        TypedResults.Ok(PreviewTopics.Of(await PreviewSession.OfAsync(db, id, from, to, cancellation)));

    private static async Task<Ok<PreviewFieldsView>> FieldsAsync(
        CatalogueDb db, [FromServices] PreviewTopics topics, Guid id, string topic, CancellationToken cancellation) =>
        TypedResults.Ok(await topics.FieldsAsync(await PreviewSession.OfAsync(db, id, null, null, cancellation), topic, cancellation));

    private static async Task<Ok<SeriesView>> SeriesAsync(
        CatalogueDb db, [FromServices] SeriesPlots plots, Guid id, string[] field,
        [FromQuery(Name = "from_ns")] long? from, [FromQuery(Name = "to_ns")] long? to, int? columns, [FromQuery(Name = "wait_ms")] int? wait,
        CancellationToken cancellation)
    {
        if (field.Length is 0 or > SeriesPlots.FieldsMax)
            throw RequestException.Invalid("field", $"1 to {SeriesPlots.FieldsMax} times a topic and a field, joined by a colon: /imu/data:linear_acceleration.x");
        if (columns is < 1 or > SeriesPlots.ColumnsMax)
            throw RequestException.Invalid("columns", $"1 to {SeriesPlots.ColumnsMax}");
        var session = await PreviewSession.OfAsync(db, id, from, to, cancellation);
        return TypedResults.Ok(await plots.ReadAsync(session, [.. field.Select(Plotted)], columns ?? 1000, Patience(wait), cancellation));
    }

    private static async Task<IResult> FrameAsync(
        CatalogueDb db, [FromServices] PreviewMessages messages, HttpContext context, Guid id, string topic,
        [FromQuery(Name = "at_ns")] long? at, int? width, CancellationToken cancellation)
    {
        if (width is < 1 or > WidthMax)
            throw RequestException.Invalid("width", $"1 to {WidthMax} pixels");
        var session = await PreviewSession.OfAsync(db, id, null, null, cancellation);
        var message = await messages.FindAsync(session, topic, Moment(session, at), cancellation);
        var headers = context.Response.Headers;
        headers["X-Log-Time-Ns"] = message.LogTime.ToString(CultureInfo.InvariantCulture);
        headers.CacheControl = "private, max-age=3600";
        // The message decides alone: segments do not change once they are acknowledged.
        var tag = new EntityTagHeaderValue($"\"{id:N}-{message.LogTime}-{message.Sequence}-{width ?? 0}\"");
        var frame = PreviewFrame.Of(message, width ?? WidthMax);
        headers["X-Frame-Description"] = string.Concat(frame.Description.Where(c => c is >= ' ' and <= '~'));
        return Results.File(frame.Bytes, frame.MediaType, entityTag: tag);
    }

    private static async Task<Ok<MessageView>> MessageAsync(
        CatalogueDb db, [FromServices] PreviewMessages messages, Guid id, string topic, [FromQuery(Name = "at_ns")] long? at, CancellationToken cancellation)
    {
        var session = await PreviewSession.OfAsync(db, id, null, null, cancellation);
        return TypedResults.Ok(PreviewMessages.View(await messages.FindAsync(session, topic, Moment(session, at), cancellation)));
    }

    private static async Task<Ok<LogView>> LogAsync(
        CatalogueDb db, [FromServices] LogLines lines, Guid id, string? topic, string? level, string? q, int? limit,
        [FromQuery(Name = "from_ns")] long? from, [FromQuery(Name = "to_ns")] long? to, [FromQuery(Name = "wait_ms")] int? wait,
        CancellationToken cancellation)
    {
        if (limit is < 1 or > LinesMax)
            throw RequestException.Invalid("limit", $"1 to {LinesMax}");
        var least = level is null ? 0 : Array.IndexOf(LogLines.Levels, level);
        if (least < 0)
            throw RequestException.Invalid("level", string.Join(", ", LogLines.Levels));
        var session = await PreviewSession.OfAsync(db, id, from, to, cancellation);
        return TypedResults.Ok(await lines.ReadAsync(session, new LogFilter(topic, least, q ?? "", limit ?? 200), Patience(wait), cancellation));
    }

    private static async Task<Ok<ViewerView>> OpenAsync(
        [FromServices] Viewers viewers, HttpContext context, Guid id, ViewerRequest request, CancellationToken cancellation) =>
        TypedResults.Ok(await viewers.OpenAsync(id, request, Actor.Of(context), cancellation));

    private static PlottedField Plotted(string text)
    {
        // A topic holds no colon, a path neither.
        var colon = text.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && colon < text.Length - 1
            ? new PlottedField(text[..colon], text[(colon + 1)..])
            : throw RequestException.Invalid("field", $"a topic and a field, joined by a colon: /imu/data:linear_acceleration.x; '{text}' is not");
    }

    private static long Moment(PreviewSession session, long? at) => at switch
    {
        null => session.ToNs - 1,
        < 0 => throw RequestException.Invalid("at_ns", "nanoseconds since the Unix epoch, not negative"),
        _ => at.Value,
    };

    private static TimeSpan Patience(int? milliseconds) => milliseconds is null
        ? TimeSpan.FromSeconds(10)
        : milliseconds >= 0 && milliseconds <= PatienceMax.TotalMilliseconds
            ? TimeSpan.FromMilliseconds(milliseconds.Value)
            : throw RequestException.Invalid("wait_ms", $"0 to {PatienceMax.TotalMilliseconds}");
}
