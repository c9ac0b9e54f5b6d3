using EdgeCloud.ControlPlane.Catalogue;
using EdgeCloud.Testing;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace EdgeCloud.ControlPlane.Tests.Rest;

/// <summary>What is away for a moment is said to be, with when to ask again.</summary>
public sealed class UnavailableTests(S3Server s3)
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Storage_that_does_not_answer_is_no_defect_of_the_control_plane()
    {
        await using var services = new ServiceCollection().AddLogging().BuildServiceProvider();
        using var body = new MemoryStream();
        var context = new DefaultHttpContext { RequestServices = services };
        context.Response.Body = body;

        var handled = await new ApiErrors().TryHandleAsync(
            context, new BucketUnavailableException("the bucket is not available", new IOException()), TestContext.Current.CancellationToken);

        Assert.True(handled);
        Assert.Equal((StatusCodes.Status503ServiceUnavailable, "5"), (context.Response.StatusCode, context.Response.Headers.RetryAfter.ToString()));
        Assert.Contains("Storage does not answer", System.Text.Encoding.UTF8.GetString(body.ToArray()), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Whether_storage_answers_is_known_to_whoever_looks()
    {
        await using var link = new TcpRelay(new Uri(s3.Endpoint).Port);
        using var bucket = new Bucket(new BucketSettings(
            new Uri($"http://127.0.0.1:{link.Port}"), null, s3.Region, await s3.CreateBucketAsync(), "", s3.Owner.AccessKey, s3.Owner.SecretKey));
        using var watch = new StorageWatch(bucket, TimeProvider.System);
        await watch.StartAsync(TestContext.Current.CancellationToken);

        link.Cut(refuse: true);
        await Eventually.Holds(() => !watch.IsThere, Deadline, "it is away");
        link.Restore();
        await Eventually.Holds(() => watch.IsThere, Deadline, "it is back");
        await watch.StopAsync(TestContext.Current.CancellationToken);
    }
}
