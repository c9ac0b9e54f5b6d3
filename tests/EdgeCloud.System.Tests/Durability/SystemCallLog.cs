using System.Globalization;
using System.Text.RegularExpressions;

namespace EdgeCloud.SystemTests.Durability;

/// <summary>
/// What <c>strace -f</c> saw of files: in order of completion, with the file behind each descriptor. A call that another thread interrupted in
/// the output is put together again; it counts from its beginning when it writes, from its end when it syncs.
/// </summary>
internal sealed partial class SystemCallLog
{
    private readonly Dictionary<string, string> _unfinished = []; // by thread: the first half of its call
    private readonly Dictionary<int, string> _files = []; // by descriptor
    private readonly Dictionary<string, int> _unsynced = []; // by file: writes that no sync covers
    private readonly Dictionary<string, (string Path, int Writes)> _syncing = []; // by thread: a sync on its way, and what it covers

    /// <summary>Lines that were written to the report although a write to a segment had not been synced.</summary>
    public List<string> Early { get; } = [];

    /// <summary>Lines of the report.</summary>
    public int Lines { get; private set; }

    /// <summary>Syncs of segments.</summary>
    public int Syncs { get; private set; }

    /// <summary>Writes to segments.</summary>
    public int Writes { get; private set; }

    public static void RequireStrace()
    {
        if (!File.Exists("/usr/bin/strace"))
            Assert.Skip("strace is missing; install Debian's package strace.");
    }

    /// <summary>Reads a log.</summary>
    /// <param name="path">Written by <c>strace -f -o</c>.</param>
    /// <param name="report">The file of <c>--report-durable</c>.</param>
    public static SystemCallLog Read(string path, string report)
    {
        var log = new SystemCallLog();
        foreach (var line in File.ReadLines(path))
            log.Add(line, report);
        return log;
    }

    private void Add(string line, string report)
    {
        var blank = line.IndexOf(' ', StringComparison.Ordinal);
        if (blank < 0)
            return;
        var (thread, call) = (line[..blank], line[blank..].Trim());
        if (call.EndsWith("<unfinished ...>", StringComparison.Ordinal))
        {
            call = call[..^"<unfinished ...>".Length].TrimEnd();
            _unfinished[thread] = call;
            Begin(thread, call, report);
            return;
        }
        var isWhole = !Resumed().IsMatch(call);
        if (!isWhole)
            call = _unfinished.Remove(thread, out var first) ? first + Resumed().Replace(call, "") : "";
        else
            Begin(thread, call, report);
        End(thread, call);
    }

    private void Begin(string thread, string call, string report)
    {
        if (Descriptor().Match(call) is not { Success: true } match || !_files.TryGetValue(Number(match.Groups[2].Value), out var path))
            return;
        var name = match.Groups[1].Value;
        if (name == "close")
        {
            _files.Remove(Number(match.Groups[2].Value)); // the number may be a pipe's next
        }
        else if (name.Contains("sync", StringComparison.Ordinal))
        {
            _syncing[thread] = (path, _unsynced.GetValueOrDefault(path));
        }
        else if (path == report)
        {
            Lines++;
            if (_unsynced.Where(f => f.Value > 0).Select(f => f.Key).ToList() is { Count: > 0 } open)
                Early.Add($"{call} while {string.Join(", ", open)} had unsynced writes");
        }
        else if (IsSegment(path) && name.Contains("write", StringComparison.Ordinal))
        {
            Writes++;
            _unsynced[path] = _unsynced.GetValueOrDefault(path) + 1;
        }
    }

    private void End(string thread, string call)
    {
        var isDone = Result().Match(call) is { Success: true } result && Number(result.Groups[1].Value) >= 0;
        if (OpenAt().Match(call) is { Success: true } open && isDone)
        {
            _files[Number(Result().Match(call).Groups[1].Value)] = open.Groups[1].Value;
        }
        else if (call.StartsWith("rename", StringComparison.Ordinal) && Names().Matches(call) is [var from, var to, ..])
        {
            if (_unsynced.Remove(from.Groups[1].Value, out var writes))
                _unsynced[to.Groups[1].Value] = writes;
        }
        else if (_syncing.Remove(thread, out var sync) && isDone)
        {
            // Writes that began while it went on are not covered.
            Syncs += IsSegment(sync.Path) ? 1 : 0;
            _unsynced[sync.Path] = _unsynced.GetValueOrDefault(sync.Path) - sync.Writes;
        }
    }

    private static bool IsSegment(string path) => path.Contains(".mcap", StringComparison.Ordinal);

    private static int Number(string digits) => int.Parse(digits, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^<\.\.\. \w+ resumed>")]
    private static partial Regex Resumed();

    [GeneratedRegex(@"^(write|writev|pwrite64|pwritev|pwritev2|fdatasync|fsync|close)\((\d+)")]
    private static partial Regex Descriptor();

    [GeneratedRegex(@"^open(?:at)?\([^""]*""([^""]+)""")]
    private static partial Regex OpenAt();

    [GeneratedRegex(@"""([^""]+)""")]
    private static partial Regex Names();

    [GeneratedRegex(@"\)\s+= (-?\d+)")]
    private static partial Regex Result();
}
