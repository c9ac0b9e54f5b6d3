using System.Text.Json;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http.HttpResults;

namespace EdgeCloud.ControlPlane;

/// <summary>Turns what an endpoint throws into problem details that say what to do; what nobody foresaw stays a 500 with a trace id.</summary>
internal sealed class ApiErrors : IExceptionHandler
{
    private const string RetryAfterSeconds = "5";

    public async ValueTask<bool> TryHandleAsync(HttpContext context, Exception exception, CancellationToken cancellationToken)
    {
        IResult? result = exception switch
        {
            RequestException { Field.Length: > 0 } e => Invalid(e.Field, e.Message),
            RequestException e => TypedResults.Problem(e.Message, statusCode: e.Status),
            BadHttpRequestException { InnerException: JsonException json } => Invalid(json.Path ?? "body", json.Message),
            BadHttpRequestException e => TypedResults.Problem(e.Message, statusCode: e.StatusCode),
            BucketUnavailableException => Unavailable(context, "Storage does not answer; try again in a moment."),
            _ when Postgres.IsTransient(exception) => Unavailable(context, "The catalogue's database does not answer; try again in a moment."),
            _ => null,
        };
        if (result is null)
            return false;
        await result.ExecuteAsync(context);
        return true;
    }

    private static ProblemHttpResult Unavailable(HttpContext context, string detail)
    {
        context.Response.Headers.RetryAfter = RetryAfterSeconds;
        return TypedResults.Problem(detail, statusCode: StatusCodes.Status503ServiceUnavailable);
    }

    private static ValidationProblem Invalid(string field, string rule) =>
        TypedResults.ValidationProblem(new Dictionary<string, string[]> { [field] = [rule] }, detail: $"{field}: {rule}");
}
