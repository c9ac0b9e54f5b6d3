using System.Diagnostics;
using System.Text.RegularExpressions;
using EdgeCloud.Testing;
using Npgsql;

namespace EdgeCloud.ControlPlane.Tests.Rest;

/// <summary>The examples of <c>infra/api.md</c> do what the page says, from the first to the last, in a shell.</summary>
[Collection(nameof(ControlPlaneCollection))]
public sealed partial class ExamplesTests(ControlPlaneProcess plane)
{
    [Fact]
    public async Task Every_example_of_the_page_runs()
    {
        var session = Guid.CreateVersion7();
        await using (var data = NpgsqlDataSource.Create(plane.ConnectionString))
        {
            await using var command = data.CreateCommand(
                $"""
                insert into robots (id, online, first_seen_at, state_revision_epoch, state_revision_number, telemetry_revision_epoch, telemetry_revision_number) values ('example-01', false, now(), 0, 0, 0, 0);
                insert into sessions (id, robot, date, object_prefix, revision_epoch, revision_number, name, state, reason, issuer, started_at, ended_at, lost, created_at, updated_at)
                values ('{session}', 'example-01', '2026-03-01', '', 0, 0, 'example', 'finished', '', '', '2026-03-01 07:50Z', '2026-03-01 08:50Z', 0, now(), now())
                """);
            await command.ExecuteNonQueryAsync();
        }
        var page = await File.ReadAllTextAsync(Repository.PathTo("infra", "api.md"));
        var examples = Fences().Matches(page).Select(m => m.Groups[1].Value).ToList();
        Assert.True(examples.Count >= 10, $"only {examples.Count} examples");

        var (code, output) = await RunAsync("set -euo pipefail\n" + string.Join("\necho ----\n", examples), session);

        Assert.True(code == 0, output);
        var parts = output.Split("----\n");
        Assert.Equal(examples.Count, parts.Length);
        Assert.Contains("\"user\": \"admin\"", parts[0]);
        Assert.Contains(session.ToString(), parts[2]);
        Assert.Contains(session.ToString(), parts[3]);
        Assert.Contains("slip\tkey:admin/examples", parts[4]);
        Assert.Equal("304\nleft hand\n", parts[5]);
        Assert.Equal("1\n", parts[6]);
        Assert.EndsWith("finished\n", parts[7]);
        Assert.Contains("session.restore", parts[8]);
        Assert.Contains("one of recording", parts[9]);
    }

    private async Task<(int Code, string Output)> RunAsync(string script, Guid session)
    {
        var start = new ProcessStartInfo("bash", ["-c", script]) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var (name, value) in new[]
        {
            ("EDGECLOUD_URL", plane.Address), ("EC_USER", ControlPlaneProcess.AdminUser), ("EC_PASSWORD", ControlPlaneProcess.AdminPassword),
            ("ROBOT", "example-01"), ("SESSION", session.ToString()),
        })
        {
            start.Environment[name] = value;
        }
        using var process = Process.Start(start)!;
        var error = process.StandardError.ReadToEndAsync();
        var output = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        return (process.ExitCode, process.ExitCode == 0 ? output : output + await error);
    }

    [GeneratedRegex("```sh\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex Fences();
}
