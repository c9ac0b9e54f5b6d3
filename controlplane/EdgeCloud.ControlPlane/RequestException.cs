namespace EdgeCloud.ControlPlane;

/// <summary>A request that cannot be met, for a reason that the one who asked can act on. The API answers it as problem details.</summary>
public sealed class RequestException : Exception
{
    private RequestException(int status, string field, string message) : base(message) => (Status, Field) = (status, field);

    /// <summary>HTTP status.</summary>
    public int Status { get; }
    /// <summary>The field or parameter that is wrong; empty when it is none.</summary>
    public string Field { get; }

    /// <summary>A field's value is not allowed; <paramref name="rule"/> says what is.</summary>
    public static RequestException Invalid(string field, string rule) => new(StatusCodes.Status400BadRequest, field, rule);

    /// <summary>What was named does not exist.</summary>
    public static RequestException NotFound(string message) => new(StatusCodes.Status404NotFound, "", message);

    /// <summary>It is somebody else's, or takes a right that the one who asked does not have.</summary>
    public static RequestException Forbidden(string message) => new(StatusCodes.Status403Forbidden, "", message);

    /// <summary>It was changed since the one who asked looked at it.</summary>
    public static RequestException Changed(string message) => new(StatusCodes.Status412PreconditionFailed, "", message);

    /// <summary>It is not possible now.</summary>
    public static RequestException Conflict(string message) => new(StatusCodes.Status409Conflict, "", message);
}
