using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Control;

/// <summary>A command that arrived, and the last answer to it.</summary>
internal sealed record RememberedCommand
{
    public required CommandMessage Command { get; init; }
    public required CommandAck Answer { get; init; }
    /// <summary>True when the broker has the answer.</summary>
    public bool Told { get; init; }

    /// <summary>Nothing more will be done for it.</summary>
    public bool IsOver => Answer.Status is CommandStatus.Rejected or CommandStatus.Succeeded or CommandStatus.Failed or CommandStatus.Expired;
}

/// <summary><c>commands.json</c>.</summary>
internal sealed record CommandFile
{
    /// <summary>In order of arrival.</summary>
    public IReadOnlyList<RememberedCommand> Commands { get; init; } = [];
}

/// <summary>
/// Remembers commands by id, so that one that is delivered again is answered again and not carried out again. An answer is on disk before
/// it is sent. Commands are forgotten when they have expired (a repeat is then refused for that) and <see cref="KeptAtLeast"/> newer ones came.
/// What a disk refuses is remembered until the process ends, and written with what is written next.
/// </summary>
internal sealed class CommandMemory
{
    private const int KeptAtLeast = 200;
    private readonly Lock _gate = new();
    private readonly string _path;
    private readonly List<RememberedCommand> _commands;

    private CommandMemory(string path, List<RememberedCommand> commands) => (_path, _commands) = (path, commands);

    /// <summary>Reads the memory of a data folder, or begins one; one that is damaged goes to <c>quarantine/</c>, and <paramref name="onDamage"/> is told.</summary>
    public static CommandMemory Open(string dataDir, Action<string> onDamage)
    {
        var path = Path.Combine(dataDir, "commands.json");
        var file = Sessions.SessionBook.ReadOrQuarantine(dataDir, path, ControlJson.Default.CommandFile, onDamage) ?? new CommandFile();
        return new CommandMemory(path, [.. file.Commands]);
    }

    /// <summary>What a command was answered; null when it is new.</summary>
    public RememberedCommand? Find(Guid id)
    {
        lock (_gate)
            return _commands.Find(c => c.Command.Id == id);
    }

    /// <summary>Commands that were accepted and not ended: the agent died over them.</summary>
    public IReadOnlyList<RememberedCommand> Unfinished
    {
        get
        {
            lock (_gate)
                return [.. _commands.Where(c => !c.IsOver)];
        }
    }

    /// <summary>Answers that the broker does not have.</summary>
    public IReadOnlyList<CommandAck> Untold
    {
        get
        {
            lock (_gate)
                return [.. _commands.Where(c => !c.Told).Select(c => c.Answer)];
        }
    }

    /// <summary>Stores the answer to a command, new or known.</summary>
    /// <exception cref="IOException">The disk refuses: it is remembered in this process only.</exception>
    public void Answer(CommandMessage command, CommandAck answer)
    {
        lock (_gate)
        {
            var at = _commands.FindIndex(c => c.Command.Id == command.Id);
            var entry = new RememberedCommand { Command = command, Answer = answer };
            if (at >= 0)
            {
                _commands[at] = entry;
            }
            else
            {
                Forget(answer.TimeNs);
                _commands.Add(entry);
            }
            Store();
        }
    }

    /// <summary>The broker has this answer.</summary>
    /// <exception cref="IOException">The disk refuses: after a restart it is sent again.</exception>
    public void Told(CommandAck answer)
    {
        lock (_gate)
        {
            var at = _commands.FindIndex(c => c.Command.Id == answer.Id);
            if (at < 0 || _commands[at].Told || _commands[at].Answer != answer)
                return;
            _commands[at] = _commands[at] with { Told = true };
            Store();
        }
    }

    private void Forget(long nowNs)
    {
        for (var excess = _commands.Count - KeptAtLeast; excess > 0; excess--)
        {
            var at = _commands.FindIndex(c => c.IsOver && c.Told && c.Command.ExpiresNs < nowNs);
            if (at < 0)
                return;
            _commands.RemoveAt(at);
        }
    }

    private void Store() => DurableFile.Write(_path, new CommandFile { Commands = _commands }, ControlJson.Default.CommandFile);
}
