using EdgeCloud.Contracts;
using EdgeCloud.ControlPlane.Catalogue;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>A command to a robot and how far it has come. Its status only ever moves on: queued, accepted, progress, one end.</summary>
public sealed class Command
{
    /// <summary>Command id (UUIDv7).</summary>
    public required Guid Id { get; init; }
    /// <summary>Robot.</summary>
    public required string Robot { get; init; }
    /// <summary>What to do.</summary>
    public required CommandKind Kind { get; init; }
    /// <summary>Session concerned; the robot's answer may fill it in.</summary>
    public Guid? Session { get; private set; }
    /// <summary>Who issued it: <c>user:alice</c> or <c>key:ci</c>.</summary>
    public required string Issuer { get; init; }
    /// <summary>When it was issued.</summary>
    public required DateTimeOffset IssuedAt { get; init; }
    /// <summary>When it is no longer to be carried out.</summary>
    public required DateTimeOffset ExpiresAt { get; init; }
    /// <summary>What is sent to the robot.</summary>
    public required CommandMessage Message { get; init; }
    /// <summary>When the broker took it; null before.</summary>
    public DateTimeOffset? PublishedAt { get; set; }
    /// <summary>How far it has come.</summary>
    public CommandStatus Status { get; private set; }
    /// <summary>Why it was rejected or failed; empty otherwise.</summary>
    public string Reason { get; private set; } = "";
    /// <summary>0 to 100 while it is carried out.</summary>
    public double? Percent { get; private set; }
    /// <summary>When its status last changed, by the server's clock.</summary>
    public required DateTimeOffset UpdatedAt { get; set; }

    /// <summary>A new command, queued.</summary>
    public static Command New(CommandMessage message) => new()
    {
        Id = message.Id,
        Robot = message.Robot,
        Kind = message.Command,
        Session = message.Session,
        Issuer = message.Issuer,
        IssuedAt = UnixTime.ToDateTimeOffset(message.IssuedNs),
        ExpiresAt = UnixTime.ToDateTimeOffset(message.ExpiresNs),
        Message = message,
        UpdatedAt = UnixTime.ToDateTimeOffset(message.IssuedNs),
    };

    /// <summary>True when no answer changes it any more.</summary>
    public bool IsOver => IsEnd(Status);

    /// <summary>True for the statuses that end a command.</summary>
    public static bool IsEnd(CommandStatus status) =>
        status is CommandStatus.Rejected or CommandStatus.Succeeded or CommandStatus.Failed or CommandStatus.Expired;

    /// <summary>
    /// Takes over an answer that brings the command further; false when it does not (answers arrive repeated and in any order).
    /// An expiry that only the server found gives way to the robot's word: the robot may have been carrying it out, out of reach.
    /// </summary>
    public bool Apply(CommandAck ack, DateTimeOffset now)
    {
        var overruled = Status == CommandStatus.Expired && ExpiredByServer && ack.Status is not CommandStatus.Queued;
        if (!overruled && (IsOver || Rank(ack.Status) < Rank(Status)))
            return false;
        if (ack.Status == CommandStatus.Progress && Status == CommandStatus.Progress && ack.Percent < Percent)
            return false;
        ExpiredByServer = false;
        Status = ack.Status;
        Reason = ack.Reason;
        Percent = ack.Percent ?? (IsEnd(ack.Status) ? null : Percent);
        Session = ack.Session ?? Session;
        UpdatedAt = now;
        return true;
    }

    /// <summary>True while <see cref="CommandStatus.Expired"/> is the server's conclusion and not the robot's word.</summary>
    public bool ExpiredByServer { get; private set; }

    /// <summary>Ends a command that nobody answered in time; false when an answer is there or time is left.</summary>
    public bool Expire(DateTimeOffset now)
    {
        if (Status != CommandStatus.Queued || now < ExpiresAt)
            return false;
        Status = CommandStatus.Expired;
        ExpiredByServer = true;
        Reason = PublishedAt is null
            ? "The broker could not be reached before the command expired."
            : "The robot did not answer before the command expired.";
        UpdatedAt = now;
        return true;
    }

    private static int Rank(CommandStatus status) => status switch
    {
        CommandStatus.Queued => 0,
        CommandStatus.Accepted => 1,
        CommandStatus.Progress => 2,
        _ => 3,
    };
}

/// <summary>One answer of a robot, kept whether or not it changed the command.</summary>
public sealed class CommandAnswer
{
    /// <summary>Command.</summary>
    public required Guid CommandId { get; init; }
    /// <summary>Robot's clock, ns since the Unix epoch.</summary>
    public required long TimeNs { get; init; }
    /// <summary>How far it has come.</summary>
    public required CommandStatus Status { get; init; }
    /// <summary>Why, or what is being done.</summary>
    public required string Reason { get; init; }
    /// <summary>0 to 100 with progress.</summary>
    public double? Percent { get; init; }
    /// <summary>Server's clock at arrival.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }
}

internal sealed class CommandTable : IEntityTypeConfiguration<Command>
{
    public void Configure(EntityTypeBuilder<Command> entity)
    {
        entity.ToTable("commands");
        entity.HasOne<Robot>().WithMany().HasForeignKey(c => c.Robot);
        entity.Property(c => c.Message).IsJson();
        entity.Ignore(c => c.IsOver);
        entity.HasIndex(c => new { c.Robot, c.IssuedAt, c.Id });
        entity.HasIndex(c => c.ExpiresAt).HasFilter("status = 'queued'");
    }
}

internal sealed class CommandAnswerTable : IEntityTypeConfiguration<CommandAnswer>
{
    public void Configure(EntityTypeBuilder<CommandAnswer> entity)
    {
        entity.ToTable("command_answers");
        entity.HasKey(a => new { a.CommandId, a.TimeNs, a.Status });
        entity.HasOne<Command>().WithMany().HasForeignKey(a => a.CommandId).OnDelete(DeleteBehavior.Cascade);
    }
}
