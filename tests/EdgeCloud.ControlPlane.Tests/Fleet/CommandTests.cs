using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Fleet;
using FsCheck;
using FsCheck.Fluent;

namespace EdgeCloud.ControlPlane.Tests.Fleet;

public sealed class CommandTests
{
    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(1);

    [Fact]
    public void In_whatever_order_answers_arrive_a_command_only_moves_on_and_its_end_stays() =>
        Prop.ForAll(Gen.ListOf(Answers()).ToArbitrary(), answers =>
        {
            var command = New();
            CommandStatus? end = null;
            var rank = 0;
            foreach (var answer in answers.Concat(answers))
            {
                command.Apply(answer, Now);
                Assert.True(Rank(command.Status) >= rank);
                rank = Rank(command.Status);
                if (end is { } ended)
                    Assert.Equal(ended, command.Status);
                if (command.IsOver)
                    end = command.Status;
            }
            Assert.Equal(answers.Any(a => Command.IsEnd(a.Status)), command.IsOver);
        }).QuickCheckThrowOnFailure();

    [Fact]
    public void An_unanswered_command_expires_at_its_time_and_the_robots_late_word_counts_more()
    {
        var command = New();
        Assert.False(command.Expire(command.ExpiresAt.AddTicks(-1)));
        Assert.True(command.Expire(command.ExpiresAt));
        Assert.False(command.Expire(command.ExpiresAt));
        Assert.Equal(CommandStatus.Expired, command.Status);

        Assert.True(command.Apply(Answer(CommandStatus.Succeeded), Now));
        Assert.Equal((CommandStatus.Succeeded, ""), (command.Status, command.Reason));
    }

    [Fact]
    public void The_robots_own_word_that_it_expired_is_final()
    {
        var command = New();
        command.Apply(Answer(CommandStatus.Expired), Now);
        Assert.False(command.Apply(Answer(CommandStatus.Succeeded), Now));
    }

    [Fact]
    public void An_answered_command_does_not_expire()
    {
        var command = New();
        command.Apply(Answer(CommandStatus.Accepted), Now);
        Assert.False(command.Expire(command.ExpiresAt.AddDays(1)));
    }

    private static Gen<CommandAck> Answers() =>
        from status in Gen.Elements(Enum.GetValues<CommandStatus>().Where(s => s != CommandStatus.Queued).ToArray())
        from percent in Gen.Choose(0, 100)
        select Answer(status) with { Percent = status == CommandStatus.Progress ? percent : null };

    private static CommandAck Answer(CommandStatus status) => new() { Robot = "amr-01", Id = Guid.Empty, Status = status, TimeNs = 1 };

    private static Command New() => Command.New(new CommandMessage
    {
        Id = Guid.Empty,
        Robot = "amr-01",
        Command = CommandKind.Sync,
        Issuer = "user:alice",
        IssuedNs = 0,
        ExpiresNs = 1_000_000_000,
    });

    private static int Rank(CommandStatus status) => status switch
    {
        CommandStatus.Queued => 0,
        CommandStatus.Accepted => 1,
        CommandStatus.Progress => 2,
        _ => 3,
    };
}
