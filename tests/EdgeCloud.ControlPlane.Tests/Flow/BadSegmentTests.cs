using EdgeCloud.Contracts;
using EdgeCloud.Testing;
using Npgsql;

namespace EdgeCloud.ControlPlane.Tests.Flow;

/// <summary>Segments whose check cannot be made hold up nobody else's.</summary>
[Collection(nameof(ControlPlaneCollection))]
public sealed class BadSegmentTests(ControlPlaneProcess plane, MosquittoBroker broker, S3Server s3)
{
    private const int More = 8; // than there are workers
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    /// <summary>One manifest that cannot be read, and one whose object S3 refuses to speak of.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Segments_that_cannot_be_checked_are_named_and_the_others_are_checked(bool isRefusedByS3)
    {
        await using var robot = await ScriptedRobot.ConnectAsync(isRefusedByS3 ? "bad-1" : "bad-2", broker, s3, plane.Bucket);
        await robot.SendStateAsync();
        var session = robot.Session(Guid.CreateVersion7());
        var good = robot.Segment(session, More + 1, 10, 1_000_000_000);
        await robot.AnnounceAsync(session);
        await robot.AnswerAsync(session.Session, null, CustodyDecision.Noted);
        await robot.UploadAsync(good);
        await robot.AnnounceAsync(good.Manifest, Custody.Sealed);
        await robot.AnswerAsync(session.Session, More + 1, CustodyDecision.Noted);
        // No server takes a key of more than 1024 bytes.
        var manifest = isRefusedByS3
            ? System.Text.Encoding.UTF8.GetString(ContractJson.Write(good.Manifest with { ObjectKey = new string('k', 1100) })) : "{}";
        await using var data = NpgsqlDataSource.Create(plane.ConnectionString);
        await using var add = data.CreateCommand(
            """
            insert into segments (session_date, session_id, sequence, robot, custody, announced, revision_epoch, revision_number, reason, object_key,
                                  bytes, messages, lost, log_time_start_ns, log_time_end_ns, manifest, announced_at, updated_at)
            select g.session_date, g.session_id, i, g.robot, 'uploaded', 'uploaded', 0, 0, '', '', 1, 1, 0, 0, 0, $2::jsonb, now(), now() - interval '1 hour'
            from segments g, generate_series(1, $3) i where g.session_id = $1 and g.sequence = $3 + 1
            """);
        foreach (var value in new object[] { session.Session, manifest, More })
            add.Parameters.Add(new() { Value = value });
        Assert.Equal(More, await add.ExecuteNonQueryAsync());

        foreach (var sequence in Enumerable.Range(1, More))
            await Eventually.Holds(() => plane.Output.Contains($"Segment {session.Session}/{sequence} cannot be checked"), Deadline, $"segment {sequence} is named");
        await robot.AnnounceAsync(good.Manifest, Custody.Uploaded);

        await robot.AnswerAsync(session.Session, More + 1, CustodyDecision.Acknowledged);
        await using var remove = data.CreateCommand("delete from segments where session_id = $1");
        remove.Parameters.Add(new() { Value = session.Session });
        await remove.ExecuteNonQueryAsync();
    }
}
