using System.Text.Json.Serialization;
using EdgeCloud.Contracts;

namespace EdgeCloud.Agent.Control;

/// <summary>What the agent remembers of itself: <c>agent.json</c>.</summary>
internal sealed record AgentFile
{
    /// <summary>The robot that the data folder belongs to.</summary>
    public required string Robot { get; init; }
    /// <summary>The last epoch that was used (see <see cref="Revision.Epoch"/>).</summary>
    public long Epoch { get; init; }
    /// <summary>Settings changed by command, by key; they win over the configuration.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();
}

/// <summary>Holds <c>agent.json</c> and counts revisions.</summary>
internal sealed class AgentMemory
{
    private readonly Lock _gate = new();
    private readonly string _path;
    private AgentFile _file;
    private long _number;

    private AgentMemory(string path, AgentFile file) => (_path, _file) = (path, file);

    public IReadOnlyDictionary<string, string> Settings => _file.Settings;

    /// <summary>
    /// Reads the memory of a data folder, or begins one. One that is damaged goes to <c>quarantine/</c>, <paramref name="onDamage"/> is told, and
    /// the settings that commands changed are those of the configuration again.
    /// </summary>
    /// <exception cref="StateFileException">The folder belongs to another robot.</exception>
    public static AgentMemory Open(string dataDir, string robot, Action<string> onDamage)
    {
        var path = Path.Combine(dataDir, "agent.json");
        var file = Sessions.SessionBook.ReadOrQuarantine(dataDir, path, ControlJson.Default.AgentFile, onDamage) ?? new AgentFile { Robot = robot };
        if (file.Robot != robot)
        {
            throw new StateFileException(
                $"{dataDir} belongs to robot '{file.Robot}', and this agent is '{robot}'; give it a folder of its own (data_dir)");
        }
        if (!File.Exists(path))
            DurableFile.Write(path, file, ControlJson.Default.AgentFile);
        return new AgentMemory(path, file);
    }

    /// <summary>
    /// Begins a new epoch, for a connection about to be tried. On a disk that refuses it is in memory only: the clock, which makes it, makes the next
    /// one greater, and it is written with whatever is written next.
    /// </summary>
    public long BeginEpoch(TimeProvider clock)
    {
        lock (_gate)
        {
            var next = _file with { Epoch = Math.Max(_file.Epoch + 1, clock.GetUtcNow().ToUnixTimeMilliseconds()) };
            try
            {
                Store(next);
            }
            catch (IOException)
            {
                _file = next;
            }
            _number = 0;
            return _file.Epoch;
        }
    }

    /// <summary>The next revision of the present epoch.</summary>
    public Revision NextRevision()
    {
        lock (_gate)
            return new Revision(_file.Epoch, ++_number);
    }

    /// <summary>Remembers settings that a command changed.</summary>
    public void Remember(IReadOnlyDictionary<string, string> settings)
    {
        lock (_gate)
        {
            var merged = new SortedDictionary<string, string>(_file.Settings.ToDictionary(), StringComparer.Ordinal);
            foreach (var (key, value) in settings)
                merged[key] = value;
            Store(_file with { Settings = merged });
        }
    }

    private void Store(AgentFile file)
    {
        DurableFile.Write(_path, file, ControlJson.Default.AgentFile);
        _file = file;
    }
}

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull,
    RespectNullableAnnotations = true,
    Converters = [typeof(SnakeCaseEnum<CommandKind>), typeof(SnakeCaseEnum<CommandStatus>)])]
[JsonSerializable(typeof(AgentFile))]
[JsonSerializable(typeof(CommandFile))]
internal sealed partial class ControlJson : JsonSerializerContext;
