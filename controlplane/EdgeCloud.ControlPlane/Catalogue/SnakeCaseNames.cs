using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace EdgeCloud.ControlPlane.Catalogue;

/// <summary>Gives columns, keys, foreign keys and indexes of a model their PostgreSQL names: <c>LastSeenAt</c> becomes <c>last_seen_at</c>.</summary>
internal static class SnakeCaseNames
{
    public static void Apply(IMutableModel model)
    {
        foreach (var entity in model.GetEntityTypes())
        {
            var table = entity.GetTableName()!;
            foreach (var property in entity.GetProperties())
                property.SetColumnName(Of(property.Name));
            foreach (var key in entity.GetKeys())
                key.SetName(key.IsPrimaryKey() ? $"pk_{table}" : $"ak_{table}_{Columns(key.Properties)}");
            foreach (var foreign in entity.GetForeignKeys())
                foreign.SetConstraintName($"fk_{table}_{Columns(foreign.Properties)}");
            foreach (var index in entity.GetIndexes())
                index.SetDatabaseName($"ix_{table}_{Columns(index.Properties)}");
        }
    }

    public static string Of(string name) => JsonNamingPolicy.SnakeCaseLower.ConvertName(name);

    private static string Columns(IEnumerable<IMutableProperty> properties) => string.Join('_', properties.Select(p => Of(p.Name)));
}

/// <summary>An enumeration as the snake_case word that the API and MQTT use for it, so that SQL reads well.</summary>
internal sealed class EnumWord<T>() : ValueConverter<T, string>(value => Write(value), word => Read(word)) where T : struct, Enum
{
    private static readonly Dictionary<T, string> Words = Enum.GetValues<T>().ToDictionary(v => v, v => SnakeCaseNames.Of(v.ToString()));
    private static readonly Dictionary<string, T> Values = Words.ToDictionary(w => w.Value, w => w.Key);

    private static string Write(T value) => Words[value];

    private static T Read(string word) =>
        Values.TryGetValue(word, out var value)
            ? value
            : throw new InvalidOperationException($"The catalogue holds '{word}', which is no {typeof(T).Name}; a newer control plane may have written it.");
}
