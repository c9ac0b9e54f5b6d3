using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using EdgeCloud.Contracts;
using EdgeCloud.Contracts.Api;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>
/// A contract record in a <c>jsonb</c> column, read and written as on the wire. The records are immutable: a changed value is another
/// instance, so changes are found by reference.
/// </summary>
internal static class JsonColumn
{
    public static PropertyBuilder<T> IsJson<T>(this PropertyBuilder<T> property)
    {
        property.HasColumnType("jsonb").HasConversion(
            new ValueConverter<T, string>(value => Write(value), text => Read<T>(text)),
            new ValueComparer<T>((a, b) => ReferenceEquals(a, b), value => value == null ? 0 : value.GetHashCode(), value => value));
        return property;
    }

    private static string Write<T>(T value) => JsonSerializer.Serialize(value, TypeInfo<T>());

    private static T Read<T>(string text) => JsonSerializer.Deserialize(text, TypeInfo<T>())!;

    private static JsonTypeInfo<T> TypeInfo<T>() =>
        (JsonTypeInfo<T>)(ContractJsonContext.Default.GetTypeInfo(typeof(T)) ?? ApiJsonContext.Default.GetTypeInfo(typeof(T))
            ?? throw new InvalidOperationException($"No serialiser knows {typeof(T)}."));
}
