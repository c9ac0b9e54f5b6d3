using System.Text.Json.Serialization;

namespace EdgeCloud.Contracts.Api;

/// <summary>The serialisers of the REST API: same conventions as <see cref="ContractJson"/>, with nulls written.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    Converters = [
        typeof(SnakeCaseEnum<Custody>), typeof(SnakeCaseEnum<SessionState>), typeof(SnakeCaseEnum<CommandKind>),
        typeof(SnakeCaseEnum<CommandStatus>), typeof(SnakeCaseEnum<ExportState>), typeof(SnakeCaseEnum<FilterComparison>),
        typeof(SnakeCaseEnum<AlignmentMethod>), typeof(SnakeCaseEnum<ImageFiles>), typeof(SnakeCaseEnum<CloudFiles>)])]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(LoginResponse))]
[JsonSerializable(typeof(TagsView))]
[JsonSerializable(typeof(NoteRequest))]
[JsonSerializable(typeof(NoteView))]
[JsonSerializable(typeof(Page<NoteView>))]
[JsonSerializable(typeof(EventRequest))]
[JsonSerializable(typeof(EventView))]
[JsonSerializable(typeof(Page<EventView>))]
[JsonSerializable(typeof(TopicName))]
[JsonSerializable(typeof(Page<TopicName>))]
[JsonSerializable(typeof(SavedViewRequest))]
[JsonSerializable(typeof(SavedViewView))]
[JsonSerializable(typeof(Page<SavedViewView>))]
[JsonSerializable(typeof(RecipeRequest))]
[JsonSerializable(typeof(RecipeView))]
[JsonSerializable(typeof(Page<RecipeView>))]
[JsonSerializable(typeof(WebhookRequest))]
[JsonSerializable(typeof(WebhookView))]
[JsonSerializable(typeof(Page<WebhookView>))]
[JsonSerializable(typeof(DeliveryView))]
[JsonSerializable(typeof(Page<DeliveryView>))]
[JsonSerializable(typeof(RobotView))]
[JsonSerializable(typeof(Page<RobotView>))]
[JsonSerializable(typeof(CommandRequest))]
[JsonSerializable(typeof(CommandView))]
[JsonSerializable(typeof(Page<CommandView>))]
[JsonSerializable(typeof(SessionView))]
[JsonSerializable(typeof(Page<SessionView>))]
[JsonSerializable(typeof(FetchRequest))]
[JsonSerializable(typeof(VerificationView))]
[JsonSerializable(typeof(SegmentView))]
[JsonSerializable(typeof(PreviewTopicsView))]
[JsonSerializable(typeof(PreviewFieldsView))]
[JsonSerializable(typeof(SeriesView))]
[JsonSerializable(typeof(MessageView))]
[JsonSerializable(typeof(LogView))]
[JsonSerializable(typeof(ViewerRequest))]
[JsonSerializable(typeof(ViewerView))]
[JsonSerializable(typeof(Page<SegmentView>))]
[JsonSerializable(typeof(ExportRequest))]
[JsonSerializable(typeof(ExportView))]
[JsonSerializable(typeof(Page<ExportView>))]
public sealed partial class ApiJsonContext : JsonSerializerContext;
