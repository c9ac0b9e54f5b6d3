using Microsoft.AspNetCore.Mvc;

namespace EdgeCloud.ControlPlane;

/// <summary>Errors of the API as problem details (RFC 9457): <c>detail</c> says what is wrong and what to do.</summary>
internal static class Problems
{
    public static async Task WriteAsync(HttpContext context, int status, string detail)
    {
        context.Response.StatusCode = status;
        await context.RequestServices.GetRequiredService<IProblemDetailsService>().WriteAsync(new ProblemDetailsContext
        {
            HttpContext = context,
            ProblemDetails = new ProblemDetails { Status = status, Detail = detail },
        });
    }
}
