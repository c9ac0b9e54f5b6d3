using System.CommandLine;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud sessions verify</c>: is everything that a session's certificate promises in the bucket?</summary>
internal static class SessionVerifyCommand
{
    public static Command Create()
    {
        var session = Ids.Argument("session", "Session id");
        var full = new Option<bool>("--full") { Description = "Have every object read and hashed, not only asked about" };
        var json = Output.JsonOption();
        var command = new Command("verify", "Hold a session's certificate against the bucket, object by object (exit code 1 when anything differs)")
        {
            session, full, json,
        };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var view = await ReadAsync(api, parsed.GetValue(session), parsed.GetValue(full), cancellation);
            if (parsed.GetValue(json))
                Output.WriteJson(view, Output.Json.VerificationView);
            else
                Write(view, parsed.GetValue(full));
            return view.Faults.Count == 0 && view.Items.All(s => s.Fault.Length == 0) ? ExitCodes.Ok : ExitCodes.Failed;
        });
        return command;
    }

    /// <summary>All pages in one. A page whose objects are all read may take long, so it is small.</summary>
    private static async Task<VerificationView> ReadAsync(ApiClient api, Guid session, bool full, CancellationToken cancellation)
    {
        var path = $"sessions/{session}/verification?limit={(full ? 4 : 200)}&full={(full ? "true" : "false")}";
        var view = await api.GetAsync(path, ApiJsonContext.Default.VerificationView, cancellation);
        var items = view.Items.ToList();
        while (view.NextCursor is { } cursor)
        {
            view = await api.GetAsync($"{path}&cursor={Uri.EscapeDataString(cursor)}", ApiJsonContext.Default.VerificationView, cancellation);
            items.AddRange(view.Items);
        }
        return view with { Items = items };
    }

    private static void Write(VerificationView view, bool full)
    {
        foreach (var fault in view.Faults)
            Console.WriteLine($"certificate: {fault}");
        foreach (var segment in view.Items.Where(s => s.Fault.Length > 0))
            Console.WriteLine($"segment {segment.Sequence}: {segment.Fault}");
        foreach (var segment in view.Items.Where(s => s.Custody is not (Custody.Acknowledged or Custody.Released)))
            Console.WriteLine($"segment {segment.Sequence}: {Output.Word(segment.Custody)}: {segment.Reason}");
        var there = view.Items.Where(s => s.Custody is Custody.Acknowledged or Custody.Released).ToList();
        var faults = view.Faults.Count + view.Items.Count(s => s.Fault.Length > 0);
        Console.WriteLine(
            $"session {view.Session}, {Output.Word(view.State)}: {there.Count} of {view.Segments} segments, {Output.Bytes(there.Sum(s => s.Bytes))}, "
            + $"{Output.Count(view.Messages)} messages, {Output.Count(view.Lost)} lost: "
            + (faults > 0 ? $"{faults} faults" : full ? "every byte in the bucket is as certified" : "every object in the bucket is as certified"));
    }
}
