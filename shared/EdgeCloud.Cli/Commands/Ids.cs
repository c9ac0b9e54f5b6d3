using System.CommandLine;
using System.CommandLine.Parsing;

namespace EdgeCloud.Cli.Commands;

/// <summary>Arguments and options that are ids of the control plane.</summary>
internal static class Ids
{
    public static Argument<Guid> Argument(string name, string description) =>
        new(name) { Description = description, CustomParser = result => Parse(result, result.Tokens[0].Value) };

    public static Option<Guid?> Option(string name, string description) =>
        new(name) { Description = description, CustomParser = result => Parse(result, result.Tokens[0].Value) };

    public static Option<Guid[]> Options(string name, string description) => new(name)
    {
        Description = description,
        AllowMultipleArgumentsPerToken = true,
        Required = true,
        CustomParser = result => [.. result.Tokens.Select(t => Parse(result, t.Value))],
    };

    private static Guid Parse(ArgumentResult result, string text)
    {
        if (!Guid.TryParse(text, out var id))
            result.AddError($"'{text}' is no id; an id looks like 0198c2c0-7a3e-7c52-9f10-3b1d5e0a44f2.");
        return id;
    }
}
