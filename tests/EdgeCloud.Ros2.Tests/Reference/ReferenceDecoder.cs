using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using EdgeCloud.Testing;

namespace EdgeCloud.Ros2.Tests;

/// <summary>What one message is to be decoded with.</summary>
public sealed record ReferenceInput(string Encoding, string Schema, byte[] Payload);

/// <summary>Decodes with npm's @foxglove/rosmsg2-serialization and compares.</summary>
public static class ReferenceDecoder
{
    private static readonly string[] Packages =
        ["@foxglove/rosmsg@5.0.5", "@foxglove/ros2idl-parser@0.3.5", "@foxglove/rosmsg2-serialization@3.1.0"];

    public static async Task<List<JsonNode?>> DecodeAsync(IEnumerable<ReferenceInput> messages)
    {
        string input = string.Concat(messages.Select(message => JsonSerializer.Serialize(new
        {
            encoding = message.Encoding,
            schema = message.Schema,
            payload = Convert.ToBase64String(message.Payload),
        }) + "\n"));
        string script = Repository.PathTo("tests", "EdgeCloud.Ros2.Tests", "Reference", "decode.mjs");
        string output = await NodePackages.RunAsync(script, Packages, input);
        return [.. output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonNode.Parse(line))];
    }

    /// <summary>The first difference, as path and both values, or null. A float32 may be written with fewer digits.</summary>
    public static string? Difference(JsonNode? reference, JsonNode? ours, string path = "")
    {
        switch (reference, ours)
        {
            case (JsonObject expected, JsonObject actual) when !expected.ContainsKey("$integer"):
                if (!expected.Select(member => member.Key).SequenceEqual(actual.Select(member => member.Key)))
                    return $"{path}: members {string.Join(",", expected.Select(m => m.Key))} / {string.Join(",", actual.Select(m => m.Key))}";
                return expected.Select(member => Difference(member.Value, actual[member.Key], $"{path}.{member.Key}")).FirstOrDefault(d => d is not null);
            case (JsonArray expected, JsonArray actual):
                if (expected.Count != actual.Count)
                    return $"{path}: {expected.Count} / {actual.Count} elements";
                return expected.Select((element, i) => Difference(element, actual[i], $"{path}[{i}]")).FirstOrDefault(d => d is not null);
            default:
                string left = Scalar(reference);
                string right = Scalar(ours);
                return left == right || SameNumber(left, right) ? null : $"{path}: {left} / {right}";
        }
    }

    private static string Scalar(JsonNode? node) => node switch
    {
        null => "null",
        JsonObject integer when integer["$integer"] is { } text => text.GetValue<string>(),
        _ => node.ToJsonString(),
    };

    private static bool SameNumber(string reference, string ours)
    {
        if (!double.TryParse(reference, NumberStyles.Float, CultureInfo.InvariantCulture, out double expected)
            || !double.TryParse(ours, NumberStyles.Float, CultureInfo.InvariantCulture, out double actual))
            return false;
        bool isSingle = expected == (float)expected;
        bool isInteger = ours.TrimStart('-').All(char.IsAsciiDigit); // must then be the same text, whatever its size
        return (!isInteger && expected.Equals(actual)) || (isSingle && ((float)expected).Equals((float)actual));
    }
}
