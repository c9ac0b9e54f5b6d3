namespace EdgeCloud.ControlPlane.Fleet;

/// <summary>Registers the fleet: the MQTT connection, ingestion, commands.</summary>
public static class FleetSetup
{
    /// <summary>The fleet's part of the container.</summary>
    public static void AddFleet(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton(MqttSettings.Read(builder.Configuration));
        builder.Services.AddSingleton<FleetMetrics>();
        builder.Services.AddSingleton<Ingestion>();
        builder.Services.AddSingleton<FleetLink>();
        builder.Services.AddHostedService(services => services.GetRequiredService<FleetLink>());
        builder.Services.AddSingleton<CommandDispatch>();
        builder.Services.AddSingleton<CommandIssuer>();
        builder.Services.AddHostedService<CommandSender>();
    }
}
