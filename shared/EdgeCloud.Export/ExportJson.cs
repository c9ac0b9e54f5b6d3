using System.Text.Json;
using System.Text.Json.Serialization;
using EdgeCloud.Contracts;

namespace EdgeCloud.Export;

/// <summary>The serialisers of plans, results of parts and manifests: the conventions of the contracts.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    RespectNullableAnnotations = true,
    Converters = [
        typeof(SnakeCaseEnum<FilterComparison>), typeof(SnakeCaseEnum<AlignmentMethod>), typeof(SnakeCaseEnum<ImageFiles>),
        typeof(SnakeCaseEnum<CloudFiles>)])]
[JsonSerializable(typeof(ExportPlan))]
[JsonSerializable(typeof(PartResult))]
[JsonSerializable(typeof(ExportManifest))]
public sealed partial class ExportJson : JsonSerializerContext
{
    /// <summary>For files that people open.</summary>
    public static ExportJson Indented => field ??= new(new JsonSerializerOptions(Default.Options) { WriteIndented = true });
}
