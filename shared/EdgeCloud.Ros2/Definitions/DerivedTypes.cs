namespace EdgeCloud.Ros2.Definitions;

/// <summary>
/// Messages that no file spells out: those that rosidl derives from services and actions, and the few that it
/// takes for granted when it derives them.
/// </summary>
internal static class DerivedTypes
{
    private const string InfoType = "service_msgs/msg/ServiceEventInfo";
    private const string UuidType = "unique_identifier_msgs/msg/UUID";

    /// <summary>Name of the ROS time message.</summary>
    public const string Time = "builtin_interfaces/msg/Time";

    /// <summary>Name of the ROS duration message.</summary>
    public const string Duration = "builtin_interfaces/msg/Duration";

    // Schemas of service events name only the service; these messages then come from here.
    private static readonly Dictionary<string, MessageDefinition> Known = new MessageDefinition[]
    {
        Define(Time, ("sec", new(FieldKind.Int32)), ("nanosec", new(FieldKind.UInt32))),
        Define(Duration, ("sec", new(FieldKind.Int32)), ("nanosec", new(FieldKind.UInt32))),
        Define(UuidType, ("uuid", new(FieldKind.UInt8, Array: ArrayKind.Fixed, ArraySize: 16))),
        Define(
            InfoType,
            ("event_type", new(FieldKind.UInt8)),
            ("stamp", new(FieldKind.Message, Time)),
            ("client_gid", new(FieldKind.UInt8, Array: ArrayKind.Fixed, ArraySize: 16)),
            ("sequence_number", new(FieldKind.Int64))),
    }.ToDictionary(definition => definition.Name, StringComparer.Ordinal);

    /// <summary>The definition of a message that schemas may leave out, or null.</summary>
    public static MessageDefinition? Find(string name) => Known.GetValueOrDefault(name);

    /// <summary>Request, response, their event message and the service itself.</summary>
    public static IEnumerable<MessageDefinition> Service(string name, MessageDefinition request, MessageDefinition response)
    {
        string eventName = name + "_Event";
        return
        [
            request,
            response,
            Define(
                eventName,
                ("info", new(FieldKind.Message, InfoType)),
                ("request", new(FieldKind.Message, request.Name, Array: ArrayKind.Bounded, ArraySize: 1)),
                ("response", new(FieldKind.Message, response.Name, Array: ArrayKind.Bounded, ArraySize: 1))),
            Define(
                name,
                ("request_message", new(FieldKind.Message, request.Name)),
                ("response_message", new(FieldKind.Message, response.Name)),
                ("event_message", new(FieldKind.Message, eventName))),
        ];
    }

    /// <summary>Goal, result and feedback with the services and messages that carry them, and the action itself.</summary>
    public static IEnumerable<MessageDefinition> Action(
        string name, MessageDefinition goal, MessageDefinition result, MessageDefinition feedback)
    {
        var goalId = ("goal_id", new FieldType(FieldKind.Message, UuidType));
        string send = name + "_SendGoal";
        string get = name + "_GetResult";
        string feedbackMessage = name + "_FeedbackMessage";
        return
        [
            goal,
            result,
            feedback,
            .. Service(
                send,
                Define(send + "_Request", goalId, ("goal", new(FieldKind.Message, goal.Name))),
                Define(send + "_Response", ("accepted", new(FieldKind.Bool)), ("stamp", new(FieldKind.Message, Time)))),
            .. Service(
                get,
                Define(get + "_Request", goalId),
                Define(get + "_Response", ("status", new(FieldKind.Int8)), ("result", new(FieldKind.Message, result.Name)))),
            Define(feedbackMessage, goalId, ("feedback", new(FieldKind.Message, feedback.Name))),
            Define(
                name,
                ("goal", new(FieldKind.Message, goal.Name)),
                ("result", new(FieldKind.Message, result.Name)),
                ("feedback", new(FieldKind.Message, feedback.Name)),
                ("send_goal_service", new(FieldKind.Message, send)),
                ("get_result_service", new(FieldKind.Message, get)),
                ("feedback_message", new(FieldKind.Message, feedbackMessage))),
        ];
    }

    /// <summary>The service or action that a derived name belongs to: <c>Add_Event</c> to <c>Add</c>, <c>Dock_SendGoal_Event</c> to <c>Dock</c>.</summary>
    public static string BaseName(string name, SectionKind kind)
    {
        string[] suffixes = kind == SectionKind.Action
            ? ["_Request", "_Response", "_Event", "_SendGoal", "_GetResult", "_FeedbackMessage", "_Goal", "_Result", "_Feedback"]
            : ["_Request", "_Response", "_Event"];
        foreach (string suffix in suffixes)
        {
            if (name.Length > suffix.Length && name.EndsWith(suffix, StringComparison.Ordinal))
                name = name[..^suffix.Length];
        }

        return name;
    }

    private static MessageDefinition Define(string name, params (string Name, FieldType Type)[] fields) => new()
    {
        Name = name,
        Fields = [.. fields.Select((field, index) => new FieldDefinition { Name = field.Name, Type = field.Type, MemberId = index })],
    };
}
