using System.Collections.Concurrent;
using Microsoft.Playwright;

namespace EdgeCloud.Portal.Tests;

/// <summary>
/// One person with one browser. Whatever the browser complains about (a script error, a violation of the content security policy, an
/// answer that failed) is kept, and fails the test at the end unless it was expected.
/// </summary>
public sealed class Visit : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly List<string> _expected = [];

    public Visit(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
                _complaints.Enqueue($"{message.Type}: {message.Text}");
        };
        page.PageError += (_, error) => _complaints.Enqueue($"script: {error}");
        page.Response += (_, response) =>
        {
            if (response.Status >= 400)
                _complaints.Enqueue($"{response.Status} {response.Url}");
        };
    }

    /// <summary>The page.</summary>
    public IPage Page { get; }

    /// <summary>Complaints that contain <paramref name="words"/> belong to the test; no words at all expect any.</summary>
    public void ExpectComplaints(string words = "") => _expected.Add(words);

    /// <summary>Fills in the login form.</summary>
    public async Task SignInAsync(string user, string password)
    {
        await Page.GetByLabel("User").FillAsync(user);
        await Page.GetByLabel("Password").FillAsync(password);
        await Page.GetByRole(AriaRole.Button, new() { Name = "Sign in" }).ClickAsync();
    }

    /// <summary>Goes to a page and waits until it has its circuit.</summary>
    public async Task GoAsync(string path)
    {
        await Page.GotoAsync(path);
        await WaitUntilLiveAsync();
    }

    /// <summary>Waits until the page answers to clicks: a prerendered page looks ready before it is.</summary>
    public Task WaitUntilLiveAsync() => Page.Locator("html[data-live]").WaitForAsync(new() { State = WaitForSelectorState.Attached });

    /// <summary>Presses one of the robot's buttons.</summary>
    public Task PressAsync(string button) =>
        Page.GetByRole(AriaRole.Group, new() { Name = $"Commands to {Portal.Robot}" })
            .GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();

    /// <summary>Waits until the newest command, as the page shows it, is of a kind and has reached a status.</summary>
    public async Task ExpectAnswerAsync(string command, string status)
    {
        var progress = Page.GetByTestId("command-progress");
        await Assertions.Expect(progress.Locator("strong")).ToHaveTextAsync(command);
        await Assertions.Expect(progress.Locator("li.ec-reached").Last).ToHaveTextAsync(new System.Text.RegularExpressions.Regex($"{status}$"));
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await _context.DisposeAsync();
        if (TestContext.Current.TestState?.Result is not TestResult.Failed)
            Assert.DoesNotContain(_complaints, c => !_expected.Any(e => c.Contains(e, StringComparison.Ordinal)));
    }
}
