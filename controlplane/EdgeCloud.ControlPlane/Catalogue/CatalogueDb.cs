using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using EdgeCloud.ControlPlane.Access;
using EdgeCloud.ControlPlane.Access.Webhooks;
using EdgeCloud.ControlPlane.Exports;
using EdgeCloud.ControlPlane.Fleet;
using EdgeCloud.ControlPlane.Sessions;
using EdgeCloud.ControlPlane.Sessions.Preview;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;

namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>
/// The catalogue: everything that the control plane knows, in PostgreSQL. Pages and endpoints query it directly through
/// <see cref="IDbContextFactory{TContext}"/>; rules live on the types that own the state (<see cref="Robot"/>, <see cref="Session"/>,
/// <see cref="Segment"/>, <see cref="Command"/>, <see cref="ExportJob"/>).
/// Tables, columns and indexes are snake_case and are made by the SQL files in <c>Migrations/</c>, which a test compares with this model.
/// </summary>
public sealed class CatalogueDb(DbContextOptions<CatalogueDb> options) : IdentityDbContext<User, IdentityRole<Guid>, Guid>(options)
{
    /// <summary>Every robot that ever connected.</summary>
    public DbSet<Robot> Robots => Set<Robot>();
    /// <summary>Figures over time, by robot; old ones are dropped.</summary>
    public DbSet<TelemetrySample> TelemetrySamples => Set<TelemetrySample>();
    /// <summary>Warnings and errors of the agents; old ones are dropped.</summary>
    public DbSet<RobotLog> RobotLogs => Set<RobotLog>();
    /// <summary>Commands to robots.</summary>
    public DbSet<Command> Commands => Set<Command>();
    /// <summary>Every answer of a robot to a command.</summary>
    public DbSet<CommandAnswer> CommandAnswers => Set<CommandAnswer>();
    /// <summary>Recordings.</summary>
    public DbSet<Session> Sessions => Set<Session>();
    /// <summary>The files that recordings consist of; partitioned by month of the session's start.</summary>
    public DbSet<Segment> Segments => Set<Segment>();
    /// <summary>What people wrote about sessions.</summary>
    public DbSet<SessionNote> SessionNotes => Set<SessionNote>();
    /// <summary>Marks in a robot's time.</summary>
    public DbSet<RobotEvent> Events => Set<RobotEvent>();
    /// <summary>Every topic and type that a session holds.</summary>
    public DbSet<KnownTopic> KnownTopics => Set<KnownTopic>();
    /// <summary>List pages kept under a name.</summary>
    public DbSet<SavedView> SavedViews => Set<SavedView>();
    /// <summary>Requests for exports kept under a name.</summary>
    public DbSet<ExportRecipe> ExportRecipes => Set<ExportRecipe>();
    /// <summary>Addresses that are told when something happens.</summary>
    public DbSet<Webhook> Webhooks => Set<Webhook>();
    /// <summary>What they are told.</summary>
    public DbSet<WebhookDelivery> WebhookDeliveries => Set<WebhookDelivery>();
    /// <summary>Answers to requests that may be repeated.</summary>
    public DbSet<IdempotencyKey> IdempotencyKeys => Set<IdempotencyKey>();
    /// <summary>Which segments have an excerpt in the bucket, for previews.</summary>
    public DbSet<SegmentExcerpt> SegmentExcerpts => Set<SegmentExcerpt>();
    /// <summary>Exports, asked for, running and done.</summary>
    public DbSet<ExportJob> Exports => Set<ExportJob>();
    /// <summary>The parts in which exports are made.</summary>
    public DbSet<ExportPartJob> ExportParts => Set<ExportPartJob>();
    /// <summary>The files of exports.</summary>
    public DbSet<ExportFile> ExportFiles => Set<ExportFile>();
    /// <summary>Keys of programs that act for a user.</summary>
    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();
    /// <summary>Who did what.</summary>
    public DbSet<AuditEntry> AuditEntries => Set<AuditEntry>();
    /// <summary>The keys that protect cookies and antiforgery tokens, shared by all replicas.</summary>
    public DbSet<DataProtectionKey> DataProtectionKeys => Set<DataProtectionKey>();

    /// <inheritdoc/>
    protected override void ConfigureConventions(ModelConfigurationBuilder configuration)
    {
        configuration.Properties<Custody>().HaveConversion<EnumWord<Custody>>();
        configuration.Properties<SessionState>().HaveConversion<EnumWord<SessionState>>();
        configuration.Properties<CommandKind>().HaveConversion<EnumWord<CommandKind>>();
        configuration.Properties<CommandStatus>().HaveConversion<EnumWord<CommandStatus>>();
        configuration.Properties<ExportState>().HaveConversion<EnumWord<ExportState>>();
        configuration.Properties<DeliveryStatus>().HaveConversion<EnumWord<DeliveryStatus>>();
    }

    /// <inheritdoc/>
    protected override void OnModelCreating(ModelBuilder builder)
    {
        base.OnModelCreating(builder);
        NameIdentityTables(builder);
        builder.ApplyConfigurationsFromAssembly(typeof(CatalogueDb).Assembly);
        SnakeCaseNames.Apply(builder.Model);
    }

    private static void NameIdentityTables(ModelBuilder builder)
    {
        builder.Entity<User>().ToTable("users");
        builder.Entity<IdentityRole<Guid>>().ToTable("roles");
        builder.Entity<IdentityUserRole<Guid>>().ToTable("user_roles");
        builder.Entity<IdentityUserClaim<Guid>>().ToTable("user_claims");
        builder.Entity<IdentityUserLogin<Guid>>().ToTable("user_logins");
        builder.Entity<IdentityUserToken<Guid>>().ToTable("user_tokens");
        builder.Entity<IdentityRoleClaim<Guid>>().ToTable("role_claims");
    }
}
