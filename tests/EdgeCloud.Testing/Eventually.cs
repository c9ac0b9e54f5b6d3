using System.Diagnostics;
using Xunit;

namespace EdgeCloud.Testing;

/// <summary>Waits on a condition with a deadline, in place of sleeping and hoping.</summary>
public static class Eventually
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Returns as soon as <paramref name="condition"/> is true.</summary>
    /// <exception cref="TimeoutException">It was not within <paramref name="deadline"/>; the text names <paramref name="description"/>.</exception>
    public static Task Holds(Func<bool> condition, TimeSpan deadline, string description) =>
        Holds(() => Task.FromResult(condition()), deadline, description);

    /// <inheritdoc cref="Holds(Func{bool},TimeSpan,string)"/>
    public static async Task Holds(Func<Task<bool>> condition, TimeSpan deadline, string description) =>
        await Gives(async () => await condition() ? "" : null, deadline, description);

    /// <summary>Returns the first value that is not null.</summary>
    /// <exception cref="TimeoutException">There was none within <paramref name="deadline"/>; the text names <paramref name="description"/>.</exception>
    public static async Task<T> Gives<T>(Func<Task<T?>> value, TimeSpan deadline, string description) where T : class
    {
        var cancellation = TestContext.Current.CancellationToken;
        var clock = Stopwatch.StartNew();
        while (true)
        {
            if (await value() is { } found)
                return found;
            if (clock.Elapsed > deadline)
                throw new TimeoutException($"Not within {deadline.TotalSeconds:0.#} s: {description}.");
            await Task.Delay(Pause, cancellation);
        }
    }
}
