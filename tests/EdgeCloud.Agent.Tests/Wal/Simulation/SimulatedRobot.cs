using System.Buffers.Binary;
using EdgeCloud.Agent.Wal;
using EdgeCloud.Mcap;
using EdgeCloud.Mcap.Compression;
using EdgeCloud.Mcap.Reading;
using EdgeCloud.Mcap.Recovery;

namespace EdgeCloud.Agent.Tests.Wal.Simulation;

/// <summary>
/// One seeded story: a log on a simulated disk that records, rotates, fails, loses its power and is started again, and a model of what it
/// owes. Single-threaded: the log's two loops are stepped here, in an order that the seed decides, so that a seed always tells the same story.
/// <para>The model: a message is owed from the moment at which the log said that it is durable. When the power goes, a message that was
/// accepted and is not owed may survive or not; recovery decides that once and for all.</para>
/// </summary>
internal sealed class SimulatedRobot
{
    private const int Topics = 3;

    private readonly Random _random;
    private readonly Random _diskRandom;
    private readonly ManualTime _time = new();
    private readonly SegmentLogOptions _options;
    private readonly HashSet<uint> _owed = []; // by message id
    private readonly List<uint> _accepted = []; // in this life, in the order of acceptance
    private readonly Dictionary<uint, RecordedMessage> _messages = []; // all that were ever accepted
    private readonly HashSet<string> _putAside = []; // what recovery could not repair
    private readonly ChunkCodec _codec = new();
    private SimulatedDisk _disk;
    private WalWorkers _workers = null!; // from Start on
    private SegmentLog _log = null!; // from Start on
    private ChannelHandle[] _channels = [];
    private Queue<string> _toRecover = new();
    private long _durable;
    private uint _next = 1;
    private int _momentsLeft = int.MaxValue;
    private bool _isPowerGone;
    private double _faultRate;

    public SimulatedRobot(int seed, bool faults)
    {
        _random = new Random(seed);
        _diskRandom = new Random(seed + 1_000_000);
        _disk = new SimulatedDisk { Random = _diskRandom };
        _faultRate = faults ? _random.NextDouble() * 0.03 : 0;
        _options = new SegmentLogOptions
        {
            BoundMs = _random.Next(2) * 50,
            ChunkBytes = 4 << 10,
            SegmentBytes = (16 << 10) << _random.Next(3),
            SegmentTime = TimeSpan.FromSeconds(1),
            MemoryBytes = 256 << 10,
            LeastMeanChunkBytes = _random.Next(2) * (3 << 10),
            SinglePutBytes = 32 << 10,
            PartBytes = 16 << 10,
            Compression = (McapCompression)_random.Next(3),
            Committed = commit => Owe(commit.Messages),
        };
    }

    /// <summary>Power cuts so far.</summary>
    public int PowerCuts { get; private set; }

    /// <summary>Messages that the log promised to keep.</summary>
    public int Owed => _owed.Count;

    /// <summary>Lives the story and checks at its end, and after each quiet recovery, that what is owed is there.</summary>
    /// <param name="lives">How often the power goes, less one.</param>
    public void Live(int lives)
    {
        for (var life = 1; life <= lives; life++)
        {
            Arm(life == lives ? int.MaxValue : _random.Next(1, 120));
            try
            {
                Start();
                Work();
                if (life == lives) Finish();
                if (life == lives) Assert.Equal(0, OpenAfterFree());
                throw new PowerCut(); // or between two operations
            }
            catch (PowerCut)
            {
                LosePower();
            }
        }

        Arm(int.MaxValue);
        _faultRate = 0;
        RecoverAll(new SegmentRecovery(_options, _disk).Survey(SimulatedDisk.Folder).Open);
        Check();
    }

    private void Arm(int moments)
    {
        _momentsLeft = moments;
        _isPowerGone = false;
        _disk.Moment = () =>
        {
            if (--_momentsLeft > 0) return;
            _isPowerGone = true;
            throw new PowerCut();
        };
        _disk.Fault = (_, _) => _faultRate > 0 && _diskRandom.NextDouble() < _faultRate ? _diskRandom.Next(3) == 0 ? 28 : 5 : 0;
    }

    private void Start()
    {
        RecoverySurvey survey;
        while (true)
        {
            try
            {
                survey = new SegmentRecovery(_options, _disk).Survey(SimulatedDisk.Folder);
                break;
            }
            catch (WalIoException)
            {
                // The agent tries again, too.
            }
        }

        _toRecover = new Queue<string>(survey.Open.Where(path => !_putAside.Contains(path)));
        _accepted.Clear();
        _durable = 0;
        _log = new SegmentLog(SimulatedDisk.Folder, survey.NextSequence, _options, _disk, _time, _workers = WalWorkers.Stepped());
        _channels = [.. Enumerable.Range(0, Topics).Select(i => _log.AddChannel(new ChannelDefinition
        {
            Topic = $"/topic{i}",
            MessageEncoding = "cdr",
            SchemaName = i == 0 ? "" : "demo/msg/Bytes",
            SchemaEncoding = i == 0 ? "" : "ros2msg",
            Latched = i == 1,
        }))];
    }

    private void Work()
    {
        for (var actions = _random.Next(300); actions > 0; actions--)
        {
            switch (_random.Next(12))
            {
                case < 5:
                    Append();
                    break;
                case < 8:
                    _log.Committer.Step();
                    break;
                case < 10:
                    StepWorkers();
                    break;
                case 10:
                    _time.Advance(TimeSpan.FromMilliseconds(_random.Next(5) == 0 ? 600 : 20));
                    break;
                default:
                    if (_random.Next(4) == 0) _ = _log.RotateAsync(SealReason.Pause);
                    else if (_toRecover.TryDequeue(out var path)) RecoverAll([path]);
                    break;
            }
        }
    }

    private void Append()
    {
        var id = _next++;
        var channel = _channels[_random.Next(Topics)];
        var data = new byte[Math.Max(4, _random.Next(10) == 0 ? _random.Next(12_000) : _random.Next(900))];
        _random.NextBytes(data.AsSpan(data.Length / 2));
        BinaryPrimitives.WriteUInt32LittleEndian(data, id);
        var logTime = 1_000_000 + (ulong)id * 10;
        if (!_log.TryAppend(channel, id, logTime, logTime - 5, data)) return;
        _accepted.Add(id);
        _messages.Add(id, RecordedMessage.Of(channel.Definition.Topic, id, logTime, logTime - 5, data));
    }

    private void Finish()
    {
        _faultRate = _random.Next(3) == 0 ? _faultRate : 0;
        _ = _log.FinishAsync();
        for (var steps = 0; !_log.Committer.Ended; steps++)
        {
            Assert.True(steps < 10_000, "The log does not end.");
            if (!_log.Committer.Step()) _time.Advance(TimeSpan.FromMilliseconds(100));
            StepWorkers();
        }

        while (StepWorkers()) _time.Advance(TimeSpan.FromMilliseconds(300));
        if (_faultRate == 0) Assert.Equal(_accepted.Count, _owed.Count(id => id >= _accepted.FirstOrDefault(uint.MaxValue)));
    }

    private int OpenAfterFree()
    {
        _log.Free();
        _log = null!;
        return _disk.OpenFiles;
    }

    private bool StepWorkers()
    {
        var any = _workers.Step(_codec);
        if (_isPowerGone) throw new PowerCut(); // the workers take it for a fault of the program
        return any;
    }

    /// <summary>The log says that so many of the messages of this life are durable.</summary>
    private void Owe(long messages)
    {
        for (; _durable < messages; _durable++) _owed.Add(_accepted[(int)_durable]);
    }

    private void LosePower()
    {
        PowerCuts++;
        _log?.Free();
        _log = null!;
        _disk = _disk.AfterPowerCut(_random);
    }

    private void RecoverAll(IEnumerable<string> paths)
    {
        foreach (var path in paths)
        {
            try
            {
                using var recovery = new SegmentRecovery(_options, _disk);
                if (recovery.Recover(path) is RecoveryOutcome.Unrepairable outcome) _putAside.Add(outcome.Path);
            }
            catch (WalIoException) when (_faultRate > 0)
            {
                // Stays as it is, for the next start.
            }
        }
    }

    /// <summary>All that is owed is there once and unaltered; nothing else is there but what was accepted, once.</summary>
    private void Check()
    {
        var found = new Dictionary<uint, RecordedMessage>();
        foreach (var path in _disk.List(SimulatedDisk.Folder).Where(path => path.EndsWith(".mcap", StringComparison.Ordinal)))
        {
            foreach (var message in ReadSealed(_disk.ReadAll(path)))
            {
                Assert.True(found.TryAdd(message.Sequence, message), $"Message {message.Sequence} is there twice, the second time in {path}.");
                Assert.Equal(_messages[message.Sequence], message);
            }
        }

        var missing = _owed.Where(id => !found.ContainsKey(id)).Order().ToList();
        Assert.True(missing.Count == 0, $"{missing.Count} of {_owed.Count} messages that were durable are gone: {string.Join(' ', missing.Take(20))}");
        Assert.All(_disk.List(SimulatedDisk.Folder), path => Assert.True(path.EndsWith(".mcap", StringComparison.Ordinal) || _putAside.Contains(path), path));
    }

    private static List<RecordedMessage> ReadSealed(byte[] file)
    {
        // In memory: the reading is done when the call returns.
        var report = McapDoctor.ExamineAsync(new MemoryByteSource(file)).AsTask().GetAwaiter().GetResult();
        Assert.Empty(report.Findings);
        var messages = new List<RecordedMessage>();
        using var reader = new McapStreamReader(new MemoryStream(file));
        while (reader.ReadMessage(out var message))
        {
            var channel = reader.Channels[message.ChannelId];
            if (channel.Metadata.ContainsKey(SegmentContents.RepeatKey)) continue;
            messages.Add(RecordedMessage.Of(channel.Topic, message.Sequence, message.LogTime, message.PublishTime, message.Data.Span));
        }

        return messages;
    }

    /// <summary>The power is gone: nothing after this moment happens.</summary>
    private sealed class PowerCut : Exception;
}
