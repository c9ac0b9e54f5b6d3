using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace EdgeCloud.ControlPlane.Access.Webhooks;

/// <summary>An address that is told when something happens. Triggers in the database queue the deliveries.</summary>
public sealed class Webhook
{
    /// <summary>Webhook id (UUIDv7).</summary>
    public required Guid Id { get; init; }
    /// <summary>Its name, which no other webhook has.</summary>
    public required string Name { get; set; }
    /// <summary>Where deliveries are posted to.</summary>
    public required string Url { get; set; }
    /// <summary>What they are signed with, protected by ASP.NET's data protection.</summary>
    public required string Secret { get; set; }
    /// <summary>What it is told of: names of <see cref="WebhookEvents"/>.</summary>
    public required string[] Events { get; set; }
    /// <summary>False while nothing is to be queued for it.</summary>
    public bool Enabled { get; set; } = true;
    /// <summary>Who made it.</summary>
    public required string CreatedBy { get; init; }
    /// <summary>When it was made.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>When it was last changed.</summary>
    public required DateTimeOffset UpdatedAt { get; set; }
    /// <summary>Counts changes; the ETag.</summary>
    public int Version { get; set; } = 1;
}

/// <summary>What a webhook can be told of.</summary>
public static class WebhookEvents
{
    /// <summary>An export succeeded, failed or was cancelled.</summary>
    public const string ExportFinished = "export.finished";
    /// <summary>A segment was announced whose ledger counts lost messages.</summary>
    public const string LossReported = "loss.reported";
    /// <summary>A robot's connection ended.</summary>
    public const string RobotOffline = "robot.offline";
    /// <summary>A robot's connection stands.</summary>
    public const string RobotOnline = "robot.online";
    /// <summary>A robot raised an alarm that it did not have before.</summary>
    public const string RobotAlarm = "robot.alarm";
    /// <summary>A session finished, failed or was cancelled.</summary>
    public const string SessionFinished = "session.finished";
    /// <summary>Asked for by a person, to see whether deliveries arrive.</summary>
    public const string Test = "test";

    /// <summary>Those that a webhook subscribes to.</summary>
    public static readonly string[] All = [ExportFinished, SessionFinished, LossReported, RobotOffline, RobotOnline, RobotAlarm];
}

/// <summary>How far a delivery has come.</summary>
public enum DeliveryStatus
{
    /// <summary>To be tried, or to be tried again.</summary>
    Pending,
    /// <summary>The receiver answered with 2xx.</summary>
    Delivered,
    /// <summary>Given up after the last attempt.</summary>
    Failed,
}

/// <summary>One event on its way to one webhook.</summary>
public sealed class WebhookDelivery
{
    /// <summary>Delivery id; the receiver sees it and tells repetitions by it.</summary>
    public required Guid Id { get; init; }
    /// <summary>Webhook.</summary>
    public required Guid WebhookId { get; init; }
    /// <summary>What happened: one of <see cref="WebhookEvents"/>.</summary>
    public required string Event { get; init; }
    /// <summary>To what, such as <c>robot:amr-01</c>.</summary>
    public required string Subject { get; init; }
    /// <summary>The rest, a JSON object.</summary>
    public required string Data { get; init; }
    /// <summary>When it happened.</summary>
    public required DateTimeOffset CreatedAt { get; init; }
    /// <summary>How far it has come.</summary>
    public DeliveryStatus Status { get; set; }
    /// <summary>Attempts so far.</summary>
    public int Attempts { get; set; }
    /// <summary>When it is tried next; null when it is over.</summary>
    public DateTimeOffset? NextAttemptAt { get; set; }
    /// <summary>When it was last tried; null before.</summary>
    public DateTimeOffset? LastAttemptAt { get; set; }
    /// <summary>HTTP status of the last answer; null when there was none.</summary>
    public int? ResponseStatus { get; set; }
    /// <summary>Why the last attempt failed; empty otherwise.</summary>
    public string Error { get; set; } = "";
}

internal sealed class WebhookTable : IEntityTypeConfiguration<Webhook>
{
    public void Configure(EntityTypeBuilder<Webhook> entity)
    {
        entity.ToTable("webhooks");
        entity.Property(w => w.Version).IsConcurrencyToken();
        entity.HasIndex(w => w.Name).IsUnique();
    }
}

internal sealed class WebhookDeliveryTable : IEntityTypeConfiguration<WebhookDelivery>
{
    public void Configure(EntityTypeBuilder<WebhookDelivery> entity)
    {
        entity.ToTable("webhook_deliveries");
        entity.Property(d => d.Data).HasColumnType("jsonb");
        entity.HasOne<Webhook>().WithMany().HasForeignKey(d => d.WebhookId).OnDelete(DeleteBehavior.Cascade);
        entity.HasIndex(d => new { d.WebhookId, d.CreatedAt, d.Id });
        entity.HasIndex(d => d.NextAttemptAt).HasFilter("status = 'pending'");
        entity.HasIndex(d => d.CreatedAt);
    }
}
