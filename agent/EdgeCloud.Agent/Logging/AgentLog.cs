using System.Collections.Concurrent;
using System.Globalization;
using System.Threading.Channels;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Logging;

/// <summary>A line that was logged.</summary>
internal readonly record struct LogLine(DateTimeOffset Time, LogLevel Level, string Source, string Text);

/// <summary>
/// Writes one line per event to standard error: with the journal's priority prefix (<c>&lt;4&gt;</c>) under systemd, with time and level
/// else. Warnings and above wait in a bounded queue for the control link; when nobody takes them the oldest go.
/// </summary>
internal sealed class AgentLog(TextWriter output, bool journal, TimeProvider clock)
{
    private readonly Lock _gate = new();
    private readonly ConcurrentDictionary<string, ILogger> _loggers = new(StringComparer.Ordinal);
    private readonly Channel<LogLine> _warnings = Channel.CreateBounded<LogLine>(
        new BoundedChannelOptions(200) { FullMode = BoundedChannelFullMode.DropOldest });

    /// <summary>The log of this process.</summary>
    public static AgentLog ForProcess() => new(
        Console.Error, Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null, TimeProvider.System);

    /// <summary>Warnings and above, for the control link.</summary>
    public ChannelReader<LogLine> Warnings => _warnings.Reader;

    /// <summary>The logger of one part of the agent, such as <c>upload</c>.</summary>
    public ILogger For(string source) => _loggers.GetOrAdd(source, s => new Logger(this, s));

    private void Write(LogLevel level, string source, string text)
    {
        var line = new LogLine(clock.GetUtcNow(), level, source, text.ReplaceLineEndings(" "));
        var (priority, word) = level switch
        {
            LogLevel.Critical => (2, "critical"),
            LogLevel.Error => (3, "error"),
            LogLevel.Warning => (4, "warning"),
            LogLevel.Information => (6, "info"),
            _ => (7, "debug"),
        };
        lock (_gate)
        {
            output.WriteLine(journal
                ? $"<{priority}>{source}: {line.Text}"
                : string.Create(CultureInfo.InvariantCulture, $"{line.Time:yyyy-MM-ddTHH:mm:ss.fffZ} {word,-8} {source}: {line.Text}"));
        }
        if (level >= LogLevel.Warning)
            _warnings.Writer.TryWrite(line);
    }

    private sealed class Logger(AgentLog log, string source) : ILogger
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
                log.Write(logLevel, source, exception is null ? formatter(state, null) : $"{formatter(state, exception)}: {exception.Message}");
        }
    }
}
