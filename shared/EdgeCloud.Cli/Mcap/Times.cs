using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using EdgeCloud.Mcap.Reading;
using ParseResult = System.CommandLine.ParseResult;

namespace EdgeCloud.Cli.Mcap;

/// <summary>Log times on the command line and in output.</summary>
internal static class Times
{
    private const ulong SecondNs = 1_000_000_000;
    private const ulong Year2000Ns = 946_684_800 * SecondNs;

    /// <summary>UTC with nanoseconds; decimal seconds for times before 2000, which count from something else than the Unix epoch.</summary>
    public static string Text(ulong ns)
    {
        var fraction = (ns % SecondNs).ToString("000000000", CultureInfo.InvariantCulture);
        if (ns < Year2000Ns)
            return $"{ns / SecondNs}.{fraction}";
        var second = DateTimeOffset.FromUnixTimeSeconds((long)(ns / SecondNs)).UtcDateTime;
        return $"{second.ToString("yyyy-MM-ddTHH:mm:ss", CultureInfo.InvariantCulture)}.{fraction}Z";
    }

    /// <summary>The options that choose a range of log times.</summary>
    public sealed class RangeOptions
    {
        private readonly Option<ulong?> _start = Time(["--start", "-S", "--from"], "from this time on: ns, or a date and time such as 2026-03-01T12:00:00Z");
        private readonly Option<ulong?> _end = Time(["--end", "-E", "--to"], "before this time: ns, or a date and time");
        private readonly Option<double?> _startSeconds = new("--start-secs", "-s") { Description = "from this time on, in seconds" };
        private readonly Option<double?> _endSeconds = new("--end-secs", "-e") { Description = "before this time, in seconds" };

        public void AddTo(Command command)
        {
            Option[] all = [_start, _end, _startSeconds, _endSeconds];
            foreach (var option in all)
                command.Options.Add(option);
        }

        public McapReadOptions Of(ParseResult parsed)
        {
            var start = parsed.GetValue(_start) ?? FromSeconds(parsed.GetValue(_startSeconds)) ?? 0;
            var end = parsed.GetValue(_end) ?? FromSeconds(parsed.GetValue(_endSeconds));
            if (end <= start)
                throw new CliException($"The range of times is empty: it ends at {Text(end.Value)} and starts at {Text(start)}.", ExitCodes.Usage);
            return new() { StartTime = start, EndTime = end };
        }

        private static ulong? FromSeconds(double? seconds) => seconds is { } value ? (ulong)((decimal)value * SecondNs) : null;

        private static Option<ulong?> Time(string[] names, string description) => new(names[0], names[1..])
        {
            Description = description,
            CustomParser = Parse,
        };

        private static ulong? Parse(ArgumentResult argument)
        {
            var text = argument.Tokens[0].Value;
            if (ulong.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var ns))
                return ns;
            const DateTimeStyles styles = DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal;
            if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, styles, out var time) && time >= DateTimeOffset.UnixEpoch)
                return (ulong)(time - DateTimeOffset.UnixEpoch).Ticks * 100;
            argument.AddError($"'{text}' is neither a number of nanoseconds nor a date and time such as 2026-03-01T12:00:00Z.");
            return null;
        }
    }
}
