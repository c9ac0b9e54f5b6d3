using System.Globalization;
using EdgeCloud.Agent.Sources;
using EdgeCloud.Contracts;
using EdgeCloud.Ros2.Cdr;
using EdgeCloud.Ros2.Definitions;
using EdgeCloud.Ros2.Fields;

namespace EdgeCloud.Agent.Sessions;

/// <summary>
/// When the agent itself cuts an event out of a ring session:
/// <c>TOPIC FIELD COMPARISON VALUE [pre SECONDS] [post SECONDS]</c>, such as <c>/diagnostics status[].level &gt;= ERROR pre 30 post 10</c>.
/// The field is a <see cref="FieldPath"/>; the value is a number, <c>true</c> or <c>false</c>, a constant of the message, or a text in double
/// quotes, which is compared with <c>==</c> or <c>!=</c> only.
/// </summary>
internal sealed record TriggerRule
{
    public required string Name { get; init; }
    public required string Topic { get; init; }
    public required string Field { get; init; }
    public required FieldComparison Comparison { get; init; }
    /// <summary>The value as it was written.</summary>
    public required string Value { get; init; }
    public required TriggerSpan Span { get; init; }

    /// <summary>What a rule looks like, for error messages.</summary>
    public const string Form = "TOPIC FIELD COMPARISON VALUE [pre SECONDS] [post SECONDS], such as '/diagnostics status[].level >= ERROR pre 30 post 10'";

    /// <exception cref="FormatException">The text is no rule; the message says what is wrong.</exception>
    public static TriggerRule Parse(string name, string text)
    {
        var words = Words(text);
        if (words.Count < 4 || words.Count % 2 != 0)
            throw new FormatException($"it has {words.Count} words; allowed is {Form}");
        if (!words[0].StartsWith('/'))
            throw new FormatException($"'{words[0]}' is no topic, which begins with '/'; allowed is {Form}");
        var span = new TriggerSpan();
        for (var i = 4; i < words.Count; i += 2)
        {
            if (!double.TryParse(words[i + 1], NumberStyles.Float, CultureInfo.InvariantCulture, out var seconds))
                throw new FormatException($"'{words[i + 1]}' after '{words[i]}' is no number of seconds");
            span = words[i] switch
            {
                "pre" => span with { PreSeconds = seconds },
                "post" => span with { PostSeconds = seconds },
                _ => throw new FormatException($"'{words[i]}' is neither 'pre' nor 'post'"),
            };
        }
        if (!span.IsValid)
            throw new FormatException($"pre and post may be 0 to {EventClip.MaxSeconds} seconds");
        return new TriggerRule
        {
            Name = name,
            Topic = words[0],
            Field = words[1],
            Comparison = ComparisonOf(words[2]),
            Value = words[3],
            Span = span,
        };
    }

    /// <summary>Makes the rule ready for the messages of a topic.</summary>
    /// <exception cref="FormatException">It does not fit them; the message says why.</exception>
    public TriggerCondition Compile(SourceTopic topic)
    {
        if (topic.MessageEncoding != "cdr" || topic.Schema is not { Encoding: "ros2msg" or "ros2idl" } schema)
            throw new FormatException($"{topic.Topic} carries '{topic.MessageEncoding}' without a ROS 2 definition; conditions read CDR only");
        try
        {
            var field = FieldPath.Compile(MessageSchema.Parse(schema.Name, schema.Encoding, schema.Data.Span), Field);
            if (field.IsText && Comparison is not (FieldComparison.Equal or FieldComparison.NotEqual))
                throw new FormatException($"'{Field}' is a text, which is compared with == or != only");
            return new TriggerCondition(this, field, field.IsText ? 0 : Operand(field));
        }
        catch (Exception e) when (e is ArgumentException or DefinitionException)
        {
            throw new FormatException(e.Message, e);
        }
    }

    public override string ToString() => $"{Topic} {Field} {Symbol(Comparison)} {Value}";

    private double Operand(FieldPath field)
    {
        if (double.TryParse(Value, NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
            return number;
        if (Value is "true" or "false")
            return Value == "true" ? 1 : 0;
        if (field.Constants.FirstOrDefault(c => c.Name == Value) is { } constant)
            return Convert.ToDouble(constant.Value, CultureInfo.InvariantCulture);
        var known = string.Join(", ", field.Constants.Select(c => c.Name));
        throw new FormatException($"'{Value}' is no number and no constant of {field.Path}'s message, which has {(known.Length == 0 ? "none" : known)}");
    }

    private static FieldComparison ComparisonOf(string word) => word switch
    {
        "==" => FieldComparison.Equal,
        "!=" => FieldComparison.NotEqual,
        "<" => FieldComparison.Less,
        "<=" => FieldComparison.LessOrEqual,
        ">" => FieldComparison.Greater,
        ">=" => FieldComparison.GreaterOrEqual,
        _ => throw new FormatException($"'{word}' is none of == != < <= > >="),
    };

    private static string Symbol(FieldComparison comparison) => comparison switch
    {
        FieldComparison.Equal => "==",
        FieldComparison.NotEqual => "!=",
        FieldComparison.Less => "<",
        FieldComparison.LessOrEqual => "<=",
        FieldComparison.Greater => ">",
        _ => ">=",
    };

    /// <summary>Splits at blanks; what stands in double quotes is one word, quotes included.</summary>
    private static List<string> Words(string text)
    {
        List<string> words = [];
        for (var at = 0; at < text.Length;)
        {
            if (char.IsWhiteSpace(text[at]))
            {
                at++;
                continue;
            }
            var end = at;
            if (text[at] == '"' && (end = text.IndexOf('"', at + 1)) < 0)
                throw new FormatException("a text in it has no closing quote");
            while (end < text.Length && !char.IsWhiteSpace(text[end]))
                end++;
            words.Add(text[at..end]);
            at = end;
        }
        return words;
    }
}

/// <summary>
/// A rule on the messages of one topic. It fires when it begins to hold, and again only after a message for which it did not: a fault that lasts
/// is one event. One that comes and goes with every message fires once a second. Looks at the raw CDR up to the field; comparing numbers allocates nothing.
/// </summary>
internal sealed class TriggerCondition(TriggerRule rule, FieldPath field, double operand)
{
    private readonly string _text = rule.Value.Trim('"');
    private const long LeastPauseNs = 1_000_000_000;
    private bool _held;
    private long _firedNs = long.MinValue;

    public TriggerRule Rule => rule;

    /// <summary>Payloads that did not fit their definition.</summary>
    public long Unreadable { get; private set; }

    /// <summary>True when this message, of a log time in ns since the Unix epoch, makes it fire.</summary>
    public bool Fires(ReadOnlySpan<byte> payload, long logTimeNs)
    {
        try
        {
            var holds = field.IsText ? AnyText(payload) : field.Any(payload, rule.Comparison, operand);
            var begins = holds && !_held;
            _held = holds;
            // A clock that was set back must not silence it.
            if (!begins || logTimeNs >= _firedNs && logTimeNs < _firedNs + LeastPauseNs)
                return false;
            _firedNs = logTimeNs;
            return true;
        }
        catch (CdrException)
        {
            Unreadable++;
            return false;
        }
    }

    private bool AnyText(ReadOnlySpan<byte> payload)
    {
        var wanted = rule.Comparison is FieldComparison.Equal;
        return field.ReadTexts(payload).Any(t => string.Equals(t, _text, StringComparison.Ordinal) == wanted);
    }
}
