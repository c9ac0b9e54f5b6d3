using System.CommandLine;
using EdgeCloud.Contracts.Api;

namespace EdgeCloud.Cli.Commands;

/// <summary><c>edgecloud segments list</c>.</summary>
internal static class SegmentsCommand
{
    public static Command Create() => new("segments", "Segments: the files of a session and where they are") { CreateList() };

    private static Command CreateList()
    {
        var session = Ids.Argument("session", "Session id");
        var json = Output.JsonOption();
        var command = new Command("list", "A session's segments in order") { session, json };
        command.SetAction(async (parsed, cancellation) =>
        {
            using var api = ApiClient.OfUser();
            var segments = api.ListAsync(
                $"sessions/{parsed.GetValue(session)}/segments", ApiJsonContext.Default.PageSegmentView, int.MaxValue, cancellation);
            if (parsed.GetValue(json))
            {
                await Output.WriteJsonAsync(segments, ApiJsonContext.Default.SegmentView, cancellation);
                return ExitCodes.Ok;
            }
            var table = Output.NewTable("SEGMENT", "CUSTODY", "FIRST MESSAGE", "MESSAGES", "SIZE", "SHA-256", "OBJECT");
            await foreach (var segment in segments)
            {
                var m = segment.Manifest;
                table.Add(
                    m.Sequence.ToString(), Output.Word(segment.Custody) + (segment.Reason.Length > 0 ? $": {segment.Reason}" : ""),
                    Output.Time(m.LogTimeStartNs), Output.Count(m.Messages), Output.Bytes(m.Bytes),
                    m.Sha256.Length > 12 ? m.Sha256[..12] : m.Sha256, m.ObjectKey);
            }
            Output.WriteTable(table);
            return ExitCodes.Ok;
        });
        return command;
    }
}
