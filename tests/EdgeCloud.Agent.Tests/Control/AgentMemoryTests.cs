using EdgeCloud.Agent.Control;
using EdgeCloud.Contracts;
using EdgeCloud.Testing;

namespace EdgeCloud.Agent.Tests.Control;

public sealed class AgentMemoryTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Revisions_grow_over_connections_restarts_wiped_folders_and_a_clock_set_back()
    {
        var clock = new ManualClock();
        var revisions = new List<Revision>();
        for (var start = 0; start < 3; start++)
        {
            var memory = AgentMemory.Open(_folder.Path, "amr-01", _ => { });
            for (var connection = 0; connection < 3; connection++)
            {
                var epoch = memory.BeginEpoch(clock);
                revisions.Add(memory.NextRevision());
                revisions.Add(memory.NextRevision());
                revisions.Add(new Revision(epoch, Revision.WillNumber));
            }
            clock.Advance(TimeSpan.FromHours(-1));
        }
        clock.Advance(TimeSpan.FromHours(4));
        File.Delete(_folder["agent.json"]);
        AgentMemory.Open(_folder.Path, "amr-01", _ => { }).BeginEpoch(clock);
        revisions.Add(AgentMemory.Open(_folder.Path, "amr-01", _ => { }).NextRevision());
        Assert.All(revisions.Zip(revisions.Skip(1)), pair => Assert.True(pair.Second.IsNewerThan(pair.First)));
    }

    [Fact]
    public void A_full_disk_holds_up_neither_a_start_nor_a_connection()
    {
        var clock = new ManualClock();
        var first = AgentMemory.Open(_folder.Path, "amr-01", _ => { }).BeginEpoch(clock);
        using var full = new FullDisk(_folder["agent.json"]);
        var memory = AgentMemory.Open(_folder.Path, "amr-01", _ => { });
        clock.Advance(TimeSpan.FromHours(-1));
        Assert.Equal(first + 1, memory.BeginEpoch(clock));
        Assert.Equal(first + 2, memory.BeginEpoch(clock));
        Assert.Throws<IOException>(() => memory.Remember(new Dictionary<string, string> { ["a"] = "b" }));
        Assert.Empty(memory.Settings);
    }

    [Fact]
    public void A_folder_of_another_robot_is_refused()
    {
        AgentMemory.Open(_folder.Path, "amr-01", _ => { });
        var error = Assert.Throws<StateFileException>(() => AgentMemory.Open(_folder.Path, "amr-02", _ => { }));
        Assert.Contains("belongs to robot 'amr-01', and this agent is 'amr-02'", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_file_is_named_moved_aside_and_begun_anew()
    {
        File.WriteAllText(_folder["agent.json"], "{ \"robot\": ");
        List<string> damage = [];
        Assert.Empty(AgentMemory.Open(_folder.Path, "amr-01", damage.Add).Settings);
        Assert.Contains("agent.json is damaged", Assert.Single(damage), StringComparison.Ordinal);
        Assert.Single(Directory.GetFiles(_folder["quarantine"]));
        AgentMemory.Open(_folder.Path, "amr-01", damage.Add);
        Assert.Single(damage);
    }

    [Fact]
    public void Two_agents_cannot_have_one_folder()
    {
        using var first = DataFolder.Take(_folder.Path);
        Assert.Contains("is another agent running on it?", Assert.Throws<StateFileException>(() => DataFolder.Take(_folder.Path)).Message, StringComparison.Ordinal);
    }
}
