namespace EdgeCloud.Agent.Sources.Simulated;

/// <summary>
/// The simulated robot's protobuf topic:
/// <code>
/// syntax = "proto3";  package edgecloud.demo;  import "google/protobuf/timestamp.proto";
/// message BatteryState { google.protobuf.Timestamp stamp = 1; double voltage = 2; double current = 3; double charge = 4; string status = 5; }
/// </code>
/// The schema is the serialised <c>google.protobuf.FileDescriptorSet</c> of both files, dependencies first, as MCAP's registry asks.
/// </summary>
internal sealed class BatteryProto
{
    private const int TypeDouble = 1, TypeInt64 = 3, TypeInt32 = 5, TypeText = 9, TypeMessage = 11;
    private readonly ProtobufWriter _stamp = new();

    public static SourceSchema Schema { get; } = new("edgecloud.demo.BatteryState", "protobuf", DescriptorSet());

    /// <summary>Writes one message.</summary>
    /// <param name="writer">Is begun here.</param>
    /// <param name="stampNs">ns since the Unix epoch.</param>
    /// <param name="charge">0 to 1.</param>
    /// <param name="current">A; negative while driving.</param>
    public void Write(ProtobufWriter writer, long stampNs, double charge, double current)
    {
        _stamp.Begin();
        _stamp.Integer(1, stampNs / 1_000_000_000);
        _stamp.Integer(2, stampNs % 1_000_000_000);
        writer.Begin();
        writer.Bytes(1, _stamp.Message);
        writer.Double(2, 22 + 3.2 * charge);
        writer.Double(3, current);
        writer.Double(4, charge);
        writer.Text(5, charge < 0.2 ? "low" : "ok");
    }

    private static byte[] DescriptorSet()
    {
        var timestamp = File("google/protobuf/timestamp.proto", "google.protobuf", null,
            Message("Timestamp", Field("seconds", 1, TypeInt64), Field("nanos", 2, TypeInt32)));
        var battery = File("edgecloud/demo/battery_state.proto", "edgecloud.demo", "google/protobuf/timestamp.proto",
            Message("BatteryState",
                Field("stamp", 1, TypeMessage, ".google.protobuf.Timestamp"),
                Field("voltage", 2, TypeDouble), Field("current", 3, TypeDouble), Field("charge", 4, TypeDouble),
                Field("status", 5, TypeText)));
        var set = new ProtobufWriter();
        set.Bytes(1, timestamp);
        set.Bytes(1, battery);
        return set.Message.ToArray();
    }

    // Field numbers are those of google/protobuf/descriptor.proto.
    private static byte[] File(string name, string package, string? dependency, byte[] message)
    {
        var file = new ProtobufWriter();
        file.Text(1, name);
        file.Text(2, package);
        if (dependency is not null)
            file.Text(3, dependency);
        file.Bytes(4, message);
        file.Text(12, "proto3");
        return file.Message.ToArray();
    }

    private static byte[] Message(string name, params byte[][] fields)
    {
        var message = new ProtobufWriter();
        message.Text(1, name);
        foreach (var field in fields)
            message.Bytes(2, field);
        return message.Message.ToArray();
    }

    private static byte[] Field(string name, int number, int type, string? typeName = null)
    {
        const int LabelOptional = 1;
        var field = new ProtobufWriter();
        field.Text(1, name);
        field.Integer(3, number);
        field.Integer(4, LabelOptional);
        field.Integer(5, type);
        if (typeName is not null)
            field.Text(6, typeName);
        field.Text(10, name);
        return field.Message.ToArray();
    }
}
