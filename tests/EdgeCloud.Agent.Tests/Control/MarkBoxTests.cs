using EdgeCloud.Agent.Control;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Control;

public sealed class MarkBoxTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ManualClock _clock = new();
    private readonly Alarms _alarms = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_mark_is_told_with_growing_pauses_until_it_is_answered_by_this_agent_and_the_next()
    {
        var mark = Mark();
        MarkBox.Leave(_folder.Path, mark);
        var box = Box();
        var told = new List<int>();
        for (var second = 0; second < 300; second++)
        {
            if (Take(box) is [var only])
            {
                Assert.Equal(mark, only);
                told.Add(second);
            }
            _clock.Advance(TimeSpan.FromSeconds(1));
        }
        Assert.Equal(0, told[0]);
        Assert.InRange(told.Count, 5, 12);

        var next = Box();
        Assert.Equal([mark], Take(next));
        next.Answer(new EventAck { Robot = mark.Robot, Id = Guid.CreateVersion7() });
        next.RestartAll();
        Assert.Equal([mark], Take(next));
        next.Answer(new EventAck { Robot = mark.Robot, Id = mark.Id });
        next.RestartAll();
        Assert.Empty(Take(next));
        Assert.Empty(Directory.GetFiles(_folder["marks"]));
    }

    [Fact]
    public void What_is_no_mark_goes_to_quarantine_and_the_others_are_told()
    {
        var mark = Mark();
        MarkBox.Leave(_folder.Path, mark);
        File.WriteAllText(_folder[$"marks/{Guid.Empty}.json"], "{");
        File.WriteAllBytes(_folder["marks/00000000-large.json"], new byte[1 << 20]);
        File.WriteAllBytes(_folder[$"marks/{Guid.CreateVersion7()}.json"], ContractJson.Write(Mark() with { Robot = "amr-02" }));
        File.WriteAllBytes(_folder[$"marks/{Guid.CreateVersion7()}.json"], ContractJson.Write(Mark()));
        File.WriteAllText(_folder["marks/notes.txt"], "not ours");
        Assert.Equal([mark], Take(Box()));
        Assert.Equal(4, Directory.GetFiles(_folder["quarantine"]).Length);
        Assert.Equal(4, _alarms.Current.Count);
        Assert.Contains(_alarms.Current, a => a.Contains("it has 1048576 bytes; at most 65536 are read", StringComparison.Ordinal));
        Assert.Contains(_alarms.Current, a => a.Contains("it is a mark of robot 'amr-02'", StringComparison.Ordinal));
    }

    [Fact]
    public void A_mark_that_is_just_being_left_survives_the_start_of_an_agent_and_one_that_was_never_finished_goes()
    {
        MarkBox.Leave(_folder.Path, Mark());
        var (now, then) = (_folder["marks/now.json.tmp"], _folder["marks/then.json.tmp"]);
        File.WriteAllText(now, "{");
        File.WriteAllText(then, "{");
        File.SetLastWriteTimeUtc(now, _clock.GetUtcNow().UtcDateTime);
        File.SetLastWriteTimeUtc(then, _clock.GetUtcNow().UtcDateTime - TimeSpan.FromDays(1));
        File.WriteAllText(_folder["agent.json.tmp"], "{");
        using var folder = DataFolder.Take(_folder.Path);
        Assert.Single(Take(Box()));
        Assert.True(File.Exists(now));
        Assert.False(File.Exists(then));
        Assert.False(File.Exists(_folder["agent.json.tmp"]));
    }

    [Fact]
    public void More_marks_than_can_wait_are_refused_to_whoever_leaves_them()
    {
        Directory.CreateDirectory(_folder["marks"]);
        for (var i = 0; i < MarkBox.MostWaiting; i++)
            File.WriteAllBytes(_folder[$"marks/{i}.json"], []);
        var refused = Assert.Throws<IOException>(() => MarkBox.Leave(_folder.Path, Mark()));
        Assert.Contains("10000 marks wait", refused.Message, StringComparison.Ordinal);
        Assert.Throws<ContractException>(() => MarkBox.Leave(_folder.Path, Mark() with { Kind = " " }));
    }

    private MarkBox Box() => new(_folder.Path, "amr-01", _alarms, _clock);

    private static EventMessage Mark() => new() { Id = Guid.CreateVersion7(), Robot = "amr-01", TimeNs = 5, EndNs = 9, Kind = "fall", Text = "on the stairs" };

    private static IReadOnlyList<EventMessage> Take(MarkBox box) => [.. box.TakeDue(10).Select(payload => ContractJson.Read<EventMessage>(payload))];
}
