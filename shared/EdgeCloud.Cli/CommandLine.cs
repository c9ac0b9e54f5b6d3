using System.CommandLine;

namespace EdgeCloud.Cli;

/// <summary>What the exit codes mean; scripts rely on them.</summary>
public static class ExitCodes
{
    /// <summary>Done.</summary>
    public const int Ok = 0;
    /// <summary>Tried and not done: not found, rejected by the robot, an export that failed, a broken file.</summary>
    public const int Failed = 1;
    /// <summary>The command line is wrong.</summary>
    public const int Usage = 2;
    /// <summary>Not logged in, or not allowed.</summary>
    public const int Access = 3;
    /// <summary>The control plane cannot be reached.</summary>
    public const int Unreachable = 4;
    /// <summary>No answer within the time that was given; it may still come.</summary>
    public const int NoAnswer = 5;
    /// <summary>Ended by Ctrl-C.</summary>
    public const int Interrupted = 130;
}

/// <summary>A command that ends with one line of error. The text says what is wrong and what to do.</summary>
public sealed class CliException(string message, int exitCode = ExitCodes.Failed, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>One of <see cref="ExitCodes"/>.</summary>
    public int ExitCode { get; } = exitCode;

    /// <summary>True when a login waits for a password of the user's own.</summary>
    public bool IsPasswordToBeReplaced { get; init; }
}

/// <summary>Runs a command line and turns every expected failure into one line on standard error and an exit code.</summary>
public static class CommandLine
{
    /// <summary>Parses and runs; returns the exit code.</summary>
    public static async Task<int> RunAsync(RootCommand root, string[] args)
    {
        var parsed = root.Parse(args);
        if (parsed.Errors.Count > 0)
        {
            foreach (var error in parsed.Errors)
                await Console.Error.WriteLineAsync($"edgecloud: {OneLine(error.Message)}");
            await Console.Error.WriteLineAsync($"Help: {FullName(parsed.CommandResult.Command)} --help");
            return ExitCodes.Usage;
        }
        try
        {
            return await parsed.InvokeAsync(new InvocationConfiguration { EnableDefaultExceptionHandler = false });
        }
        catch (CliException e)
        {
            await Console.Error.WriteLineAsync($"edgecloud: {e.Message}");
            return e.ExitCode;
        }
        catch (HttpRequestException e)
        {
            // A file behind an address, at its opening or later; the message names it.
            await Console.Error.WriteLineAsync($"edgecloud: {OneLine(e.Message)} Is the address right, and has it not expired? Then try again later.");
            return ExitCodes.Unreachable;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            await Console.Error.WriteLineAsync($"edgecloud: {OneLine(e.Message)}"); // a file that cannot be read, or is not what it should be
            return ExitCodes.Failed;
        }
        catch (OperationCanceledException)
        {
            return ExitCodes.Interrupted;
        }
    }

    // The parser lists allowed words one below the other.
    private static string OneLine(string message) =>
        string.Join(' ', message.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries));

    private static string FullName(Command command)
    {
        var parent = command.Parents.OfType<Command>().FirstOrDefault();
        return parent is null ? "edgecloud" : $"{FullName(parent)} {command.Name}";
    }
}
