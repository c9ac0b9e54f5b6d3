using System.Collections.Concurrent;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Tests.Flow;
using EdgeCloud.ControlPlane.Tests.Sessions.Preview;
using EdgeCloud.Testing;

namespace EdgeCloud.ControlPlane.Tests.Rest;

/// <summary>
/// The command <c>edgecloud</c> covers the API: a day's work done with it, on a real control plane, asks for every operation of the OpenAPI
/// document. An operation that no command asks for fails the test, so that none is forgotten.
/// </summary>
[Collection(nameof(ControlPlaneCollection))]
public sealed class CommandLineTests(ControlPlaneProcess plane, MosquittoBroker broker, S3Server s3)
{
    private const long Start = 1_767_225_600_000_000_000;
    private const int ExitCodeOk = 0;
    private const int ExitCodeNoAnswer = 5;
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(120);

    [Fact]
    public async Task Every_operation_of_the_API_has_a_command()
    {
        await using var recorder = new Recorder(plane.Address);
        using var folder = new TemporaryFolder();
        await using var robot = await ScriptedRobot.ConnectAsync($"by-hand-{Guid.NewGuid():N}", broker, s3, plane.Bucket);
        var session = await RecordAsync(robot);
        using var api = await ApiClient.LoginAsync(plane);
        var environment = new Dictionary<string, string>
        {
            ["XDG_CONFIG_HOME"] = folder["config"],
        };
        var user = $"bob-{Guid.NewGuid():N}"[..20];

        // Who somebody is.
        await RunAsync("login", recorder.Url, "--user", ControlPlaneProcess.AdminUser, "<", ControlPlaneProcess.AdminPassword);
        Assert.Contains(ControlPlaneProcess.AdminUser, await RunAsync("me"));
        var key = await RunAsync("keys", "create", "for a test", "--scope", "read", "--json");
        await RunAsync("keys", "list");
        await RunAsync("keys", "revoke", Field(key, "id"));

        // The fleet.
        await RunAsync("robots", "list");
        Assert.Contains("/sample", await RunAsync("sessions", "show", session));
        await RunAsync("robots", "show", robot.Id);
        await RunToEndAsync(["robots", "command", robot.Id, "sync", "--timeout", "1"], ExitCodeNoAnswer);
        Assert.Contains("sync", await RunAsync("robots", "commands", robot.Id));

        // Recordings.
        Assert.Contains(session, await RunAsync("sessions", "list", "--robot", robot.Id, "--topic", "/sample"));
        await RunAsync("segments", "list", session);
        Assert.Contains("/sample", await RunAsync("topics", "--text", "/sample"));
        await AskAsync("sessions", "fetch", session, "--timeout", "0");
        await AskAsync("sessions", "verify", session);
        Assert.Contains("/image", await RunAsync("preview", "topics", session));
        Assert.Contains("value", await RunAsync("preview", "fields", session, "/sample"));
        Assert.Contains("40", await RunAsync("preview", "series", session, "/sample:value"));
        await RunAsync("preview", "frame", session, "/image", "--output", folder["frame.png"]);
        Assert.True(new FileInfo(folder["frame.png"]).Length > 0);
        Assert.Contains("39", await RunAsync("preview", "message", session, "/sample"));
        await RunAsync("preview", "log", session);
        Assert.Contains("https://app.foxglove.dev", await RunAsync("preview", "open", session, "--topics", "/sample"));

        // What people say of them.
        await RunAsync("tags", "add", "rainy", "--robot", robot.Id);
        await RunAsync("tags", "add", "rainy", "--session", session);
        Assert.Contains("rainy", await RunAsync("tags", "list"));
        await RunAsync("tags", "remove", "rainy", "--robot", robot.Id);
        await RunAsync("tags", "remove", "rainy", "--session", session);
        var note = await RunAsync("notes", "add", session, "It was a pond.");
        await RunAsync("notes", "edit", session, note, "It was a lake.");
        Assert.Contains("a lake", await RunAsync("notes", "list", session));
        await RunAsync("notes", "delete", session, note);
        var mark = await RunAsync("events", "add", "bump", "a kerb", "--session", session, "--at", $"{Start}");
        await RunAsync("events", "edit", mark, "--text", "two kerbs");
        Assert.Contains("two kerbs", await RunAsync("events", "show", mark));
        Assert.Contains("bump", await RunAsync("events", "list", "--session", session));
        await RunAsync("events", "delete", mark);
        var view = await RunAsync("views", "save", "fleet", $"night {Guid.NewGuid():N}", "state=attention&sort=-lost");
        await RunAsync("views", "change", view, "--shared", "true", "--query", "?state=offline");
        Assert.Matches($"{view}.*state=offline +yes", await RunAsync("views", "list", "--page", "fleet"));
        await RunAsync("views", "delete", view);

        // Datasets.
        await RunAsync("exports", "estimate", "--session", session);
        var export = Field(await RunAsync("exports", "create", "--session", session, "--format", "csv", "--wait", "--json"), "id");
        Assert.Contains(export, await RunAsync("exports", "list"));
        await RunAsync("exports", "show", export);
        await RunAsync("exports", "download", export, "--output", folder["csv"]);
        await RunAsync("exports", "zip", export, "--output", folder["csv.zip"]);
        using (var zip = System.IO.Compression.ZipFile.OpenRead(folder["csv.zip"]))
            Assert.Contains(zip.Entries, e => e.Name == "manifest.json");
        await AskAsync("exports", "cancel", export);
        await AskAsync("exports", "retry", export);
        await RunAsync("exports", "expire", export);
        var recipe = $"recipe {Guid.NewGuid():N}";
        await File.WriteAllTextAsync(folder["recipe.json"], """{"format": "csv"}""", TestContext.Current.CancellationToken);
        await RunAsync("recipes", "create", recipe, folder["recipe.json"]);
        await File.WriteAllTextAsync(folder["recipe.json"], """{"format": "parquet"}""", TestContext.Current.CancellationToken);
        await RunAsync("recipes", "change", recipe, folder["recipe.json"]);
        Assert.Contains("parquet", await RunAsync("recipes", "show", recipe));
        await RunAsync("recipes", "list");
        await RunAsync("recipes", "delete", recipe);
        await RunAsync("sessions", "delete", session);
        await RunAsync("sessions", "restore", session);

        // Administration.
        var first = await RunAsync("users", "create", user, "viewer");
        await RunAsync("password", recorder.Url, "--user", user, "<", first, "a password of one's own");
        await RunAsync("users", "set-roles", user, "operator");
        Assert.Contains("operator", await RunAsync("users", "show", user));
        await RunAsync("users", "list");
        await RunAsync("users", "reset-password", user);
        var owned = (await api.PostAsync<KeyView>("/api/v1/keys", new { name = "to be withdrawn" })).Id;
        Assert.Contains($"{owned}", await RunAsync("users", "keys", ControlPlaneProcess.AdminUser));
        await RunAsync("users", "revoke-key", ControlPlaneProcess.AdminUser, $"{owned}");
        await RunAsync("users", "delete", user);
        var hook = (await RunAsync("webhooks", "create", $"hook {Guid.NewGuid():N}", "https://hooks.invalid/", "--event", "robot.alarm")).Split(' ')[0];
        await RunAsync("webhooks", "change", hook, "--enabled", "false");
        Assert.Matches("state +off", await RunAsync("webhooks", "show", hook));
        await RunAsync("webhooks", "list");
        var delivery = await RunAsync("webhooks", "test", hook);
        Assert.Contains(delivery, await RunAsync("webhooks", "deliveries", hook));
        await AskAsync("webhooks", "retry", hook, delivery);
        await RunAsync("webhooks", "delete", hook);
        Assert.Contains("webhook", await RunAsync("audit", "--limit", "5"));
        Assert.Contains("PostgreSQL", await RunAsync("system", "show"));
        Assert.Contains("/api/v1/views", await RunAsync("system", "endpoints"));

        using var described = await api.ReadAsync("/openapi/v1.json");
        var document = JsonDocument.Parse(await described.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        var missing = document.RootElement.GetProperty("paths").EnumerateObject()
            .SelectMany(path => path.Value.EnumerateObject().Select(o => (Method: o.Name.ToUpperInvariant(), Path: path.Name, Id: o.Value.GetProperty("operationId").GetString()!)))
            .Where(o => !recorder.Requests.Any(r => r.Method == o.Method && Template(o.Path).IsMatch(r.Path)))
            .Select(o => o.Id);
        Assert.Empty(missing);

        // What is refused has been asked for all the same.
        Task<string> AskAsync(params string[] arguments) => RunToEndAsync(arguments, null);

        Task<string> RunAsync(params string[] arguments) => RunToEndAsync(arguments, ExitCodeOk);

        async Task<string> RunToEndAsync(string[] arguments, int? exit)
        {
            var input = Array.IndexOf(arguments, "<");
            await using var process = ProductProcess.StartCli(
                input < 0 ? arguments : arguments[..input], environment, input < 0 ? null : string.Join('\n', arguments[(input + 1)..]) + "\n");
            var code = await process.WaitForExitAsync(Deadline);
            Assert.True(exit is null || code == exit, $"{string.Join(' ', arguments)}: {code}\n{process.Output}\n--- control plane\n{plane.Output}");
            return process.Output.Trim();
        }
    }

    // Two segments with what can be plotted, drawn and read.
    private static async Task<string> RecordAsync(ScriptedRobot robot)
    {
        var session = robot.Session(Guid.CreateVersion7(), SessionState.Finished, lastSequence: 2);
        await robot.AnnounceAsync(session);
        for (var i = 0; i < 2; i++)
        {
            var begin = Start + (i * 20_000_000_000);
            List<MadeMessage> messages = [.. Enumerable.Range(i * 20, 20).Select(n => new MadeMessage("/sample", begin + n, PreviewRecording.Sample(n)))];
            messages.Add(new MadeMessage("/image", begin + 100, PreviewRecording.Image(2, 2, "mono8", 2, [1, 2, 3, 4])));
            await PreviewRecording.DeliverAsync(robot, PreviewRecording.Segment(robot, session, i + 1, messages));
        }
        return session.Session.ToString();
    }

    private static string Field(string json, string name) => JsonDocument.Parse(json).RootElement.GetProperty(name).GetString()!;

    private static Regex Template(string path) => new("^" + Regex.Replace(Regex.Escape(path), @"\\\{[^}]*}", "[^/]+") + "$");

    /// <summary>Passes requests on and remembers what was asked for.</summary>
    private sealed class Recorder : IAsyncDisposable
    {
        private readonly HttpListener _listener = new();
        private readonly HttpClient _http = new(new HttpClientHandler { AllowAutoRedirect = false }) { Timeout = Deadline };
        private readonly ConcurrentBag<(string Method, string Path)> _requests = [];
        private readonly string _target;
        private readonly Task _loop;

        public Recorder(string target)
        {
            _target = target.TrimEnd('/');
            Url = $"http://127.0.0.1:{FreePort.ToComeBackTo()}";
            _listener.Prefixes.Add(Url + "/");
            _listener.Start();
            _loop = ServeAsync();
        }

        public string Url { get; }

        public IReadOnlyCollection<(string Method, string Path)> Requests => _requests;

        public async ValueTask DisposeAsync()
        {
            _listener.Stop();
            await _loop;
            _http.Dispose();
        }

        private async Task ServeAsync()
        {
            while (true)
            {
                HttpListenerContext context;
                try
                {
                    context = await _listener.GetContextAsync();
                }
                catch (Exception e) when (e is HttpListenerException or ObjectDisposedException)
                {
                    return; // Stopped.
                }
                await PassOnAsync(context);
            }
        }

        private async Task PassOnAsync(HttpListenerContext context)
        {
            var asked = context.Request;
            _requests.Add((asked.HttpMethod, asked.Url!.AbsolutePath));
            using var request = new HttpRequestMessage(new HttpMethod(asked.HttpMethod), _target + asked.RawUrl);
            if (asked.HasEntityBody)
            {
                request.Content = new StreamContent(asked.InputStream);
                request.Content.Headers.TryAddWithoutValidation("Content-Type", asked.ContentType);
            }
            if (asked.Headers["Authorization"] is { } authorization)
                request.Headers.TryAddWithoutValidation("Authorization", authorization);
            try
            {
                using var answer = await _http.SendAsync(request);
                var bytes = await answer.Content.ReadAsByteArrayAsync();
                context.Response.StatusCode = (int)answer.StatusCode;
                context.Response.ContentType = answer.Content.Headers.ContentType?.ToString();
                context.Response.ContentLength64 = bytes.Length;
                await context.Response.OutputStream.WriteAsync(bytes);
            }
            catch (HttpRequestException)
            {
                context.Response.StatusCode = (int)HttpStatusCode.BadGateway; // The control plane broke off; the command says so.
            }
            context.Response.Close();
        }
    }
}
