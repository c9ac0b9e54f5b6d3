namespace EdgeCloud.Agent;

/// <summary>Loops that live and die together.</summary>
internal static class Tasks
{
    /// <summary>
    /// Runs loops until cancelled. When one ends or fails before that, the others are cancelled and awaited, and its error is this one's: an
    /// agent that starts again is better than one of which a part has stopped unseen.
    /// </summary>
    public static async Task WhenAnyFails(CancellationToken cancellation, params Func<CancellationToken, Task>[] loops)
    {
        using var together = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var running = loops.Select(l => Task.Run(() => l(together.Token), CancellationToken.None)).ToList();
        var first = await Task.WhenAny(running);
        await together.CancelAsync();
        await Task.WhenAll(running).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var failed in running.Where(r => r.IsFaulted))
            await failed;
        if (!cancellation.IsCancellationRequested)
            throw new InvalidOperationException($"Loop {running.IndexOf(first)} of {running.Count} ended although nobody asked it to.");
    }
}
