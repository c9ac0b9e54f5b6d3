using System.Diagnostics;
using System.Runtime.InteropServices;
using Xunit;

namespace EdgeCloud.Testing;

/// <summary>One of our programs, as its build made it, in a process of its own.</summary>
public sealed class ProductProcess : IAsyncDisposable
{
    private const int SigKill = 9;
    private const int SigUser1 = 10;
    private const int SigTerm = 15;
    private const int SigContinue = 18;
    private const int SigStop = 19;

    private readonly Process _process;
    private readonly List<string> _lines = [];
    private readonly string _name;
    private bool _isDisposed;

    private ProductProcess(string name, Process process)
    {
        _name = name;
        _process = process;
        _process.OutputDataReceived += (_, e) => Keep(e.Data);
        _process.ErrorDataReceived += (_, e) => Keep(e.Data);
        _process.BeginOutputReadLine();
        _process.BeginErrorReadLine();
        AppDomain.CurrentDomain.ProcessExit += KillAtExit;
    }

    /// <summary>Process id.</summary>
    public int Id => _process.Id;

    /// <summary>True once it ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>Exit code; only after its end.</summary>
    public int ExitCode => _process.ExitCode;

    /// <summary>Everything that it wrote so far, standard output and error together.</summary>
    public string Output
    {
        get
        {
            lock (_lines)
                return string.Join('\n', _lines);
        }
    }

    /// <summary>Starts <c>edgecloud-agent</c>.</summary>
    public static ProductProcess StartAgent(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, IReadOnlyList<string>? under = null) =>
        Start("agent/EdgeCloud.Agent", "edgecloud-agent", arguments, environment, under: under);

    /// <summary>Starts <c>edgecloud-controlplane</c>.</summary>
    public static ProductProcess StartControlPlane(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? input = null) =>
        Start("controlplane/EdgeCloud.ControlPlane", "edgecloud-controlplane", arguments, environment, input);

    /// <summary>Starts <c>edgecloud</c>.</summary>
    public static ProductProcess StartCli(
        IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? input = null) =>
        Start("shared/EdgeCloud.Cli", "edgecloud", arguments, environment, input);

    /// <summary>
    /// Starts the program of the project folder <paramref name="project"/> in the configuration that this test assembly was built in.
    /// <c>EDGECLOUD_*</c> variables of the tests' own environment are not passed on. <paramref name="input"/> is its standard input;
    /// <paramref name="under"/> a program with its arguments that runs it, such as strace.
    /// </summary>
    /// <exception cref="FileNotFoundException">It is not built.</exception>
    public static ProductProcess Start(
        string project, string program, IEnumerable<string> arguments, IReadOnlyDictionary<string, string>? environment = null, string? input = null,
        IReadOnlyList<string>? under = null)
    {
        var assembly = Repository.PathTo(project, "bin", Configuration, "net10.0", program + ".dll");
        if (!File.Exists(assembly))
            throw new FileNotFoundException($"{assembly} is not built: dotnet build {project} -c {Configuration}");
        var start = new ProcessStartInfo(under?[0] ?? "dotnet", under is null ? [assembly, .. arguments] : [.. under.Skip(1), "dotnet", assembly, .. arguments])
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        foreach (var name in start.Environment.Keys.Where(k => k.StartsWith("EDGECLOUD_", StringComparison.Ordinal)).ToList())
            start.Environment.Remove(name);
        foreach (var (name, value) in environment ?? new Dictionary<string, string>())
            start.Environment[name] = value;
        var process = new ProductProcess(program, Process.Start(start)!);
        process._process.StandardInput.Write(input ?? "");
        process._process.StandardInput.Close();
        return process;
    }

    /// <summary>Waits until it has written a line that contains <paramref name="text"/>, and returns that line.</summary>
    /// <exception cref="TimeoutException">Not within the deadline.</exception>
    /// <exception cref="InvalidOperationException">It ended first.</exception>
    public async Task<string> WaitForLineAsync(string text, TimeSpan deadline)
    {
        try
        {
            return await Eventually.Gives(() => FindLineAsync(text), deadline, "");
        }
        catch (TimeoutException)
        {
            throw new TimeoutException($"{_name} did not write '{text}' within {deadline.TotalSeconds:0.#} s; it wrote:\n{Output}");
        }
    }

    /// <summary>Waits for its end and returns the exit code.</summary>
    /// <exception cref="TimeoutException">It still runs after the deadline.</exception>
    public async Task<int> WaitForExitAsync(TimeSpan deadline)
    {
        using var timeout = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        timeout.CancelAfter(deadline);
        try
        {
            await _process.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException) when (!TestContext.Current.CancellationToken.IsCancellationRequested)
        {
            throw new TimeoutException($"{_name} still runs after {deadline.TotalSeconds:0.#} s; it wrote:\n{Output}");
        }
        return _process.ExitCode;
    }

    /// <summary>The end without warning: SIGKILL, and waits until it is gone.</summary>
    public async Task KillAsync()
    {
        Signal(SigKill);
        await WaitForExitAsync(TimeSpan.FromSeconds(60));
    }

    /// <summary>SIGTERM, as systemd sends it, and waits for the end; returns the exit code.</summary>
    public Task<int> TerminateAsync(TimeSpan deadline)
    {
        Signal(SigTerm);
        return WaitForExitAsync(deadline);
    }

    /// <summary>SIGUSR1.</summary>
    public void SignalUser() => Signal(SigUser1);

    /// <summary>Stops it dead with all its connections open, as a machine does that swaps or a virtual machine that is moved.</summary>
    public void Freeze() => Signal(SigStop);

    /// <summary>Ends <see cref="Freeze"/>.</summary>
    public void Thaw() => Signal(SigContinue);

    /// <summary>Kills it when it still runs.</summary>
    public async ValueTask DisposeAsync()
    {
        if (_isDisposed)
            return;
        _isDisposed = true;
        AppDomain.CurrentDomain.ProcessExit -= KillAtExit;
        if (!_process.HasExited)
        {
            Signal(SigKill);
            await _process.WaitForExitAsync(CancellationToken.None);
        }
        _process.Dispose();
    }

    private static string Configuration { get; } =
        AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Release{Path.DirectorySeparatorChar}", StringComparison.Ordinal)
            ? "Release" : "Debug";

    private async Task<string?> FindLineAsync(string text)
    {
        var ended = _process.HasExited;
        if (ended)
            await _process.WaitForExitAsync(); // What it wrote last has then been read.
        lock (_lines)
        {
            if (_lines.Find(l => l.Contains(text, StringComparison.Ordinal)) is { } line)
                return line;
        }
        return ended
            ? throw new InvalidOperationException($"{_name} ended with {_process.ExitCode} before it wrote '{text}':\n{Output}")
            : null;
    }

    private void Keep(string? line)
    {
        if (line is null)
            return;
        lock (_lines)
            _lines.Add(line);
    }

    private void Signal(int signal)
    {
        if (!_process.HasExited && kill(_process.Id, signal) != 0 && !_process.HasExited)
            throw new InvalidOperationException($"Signal {signal} did not reach {_name} ({_process.Id}): errno {Marshal.GetLastPInvokeError()}");
    }

    private void KillAtExit(object? sender, EventArgs e) => kill(_process.Id, SigKill);

#pragma warning disable IDE1006, SYSLIB1054 // The C library's own name; one call needs no generated marshalling.
    [DllImport("libc", SetLastError = true)]
    private static extern int kill(int pid, int signal);
#pragma warning restore IDE1006, SYSLIB1054
}
