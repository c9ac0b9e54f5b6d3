using EdgeCloud.ControlPlane.Catalogue;

namespace EdgeCloud.ControlPlane.Exports;

/// <summary>Makes a request again when S3 is not available, a few times with growing pauses: outages of seconds do not end a part.</summary>
internal static class S3Retry
{
    private const int Attempts = 5;
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(500);

    /// <exception cref="BucketUnavailableException">S3 was not available in spite of several attempts.</exception>
    public static async Task<T> DoAsync<T>(Bucket bucket, Func<Task<T>> request, TimeProvider clock, CancellationToken cancellation)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await request();
            }
            catch (Exception e) when (Bucket.IsUnavailable(e, cancellation))
            {
                if (attempt == Attempts)
                    throw bucket.Unavailable(e);
                await Task.Delay(FirstPause * Math.Pow(2, attempt - 1) * (0.5 + Random.Shared.NextDouble() / 2), clock, cancellation);
            }
        }
    }
}
