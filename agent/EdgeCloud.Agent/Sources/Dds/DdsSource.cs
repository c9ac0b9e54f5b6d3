using System.Buffers.Binary;
using System.Runtime.InteropServices;
using EdgeCloud.Agent.Configuration;
using EdgeCloud.Agent.Sources.Ros;
using Microsoft.Extensions.Logging;

namespace EdgeCloud.Agent.Sources.Dds;

/// <summary>
/// ROS 2 without a ROS installation: a DDS participant that subscribes to every topic that the rules admit, as soon as somebody writes to
/// it. Payloads are the CDR that came over the wire, byte for byte; the log time is the moment at which the message was complete. What was
/// lost on the way is known from gaps in each writer's numbers. One thread does everything; DDS's own threads receive.
/// </summary>
internal sealed unsafe partial class DdsSource(DdsSettings settings, RosSettings ros, ILogger log) : ISource
{
    /// <summary>Samples per call into C.</summary>
    private const int BatchMax = 1024;

    private const uint WaitMs = 500;

    /// <summary>After the first sample others are waited for this long, so that a fast topic does not cost a wake-up for each.</summary>
    private const uint GatherUs = 4000;

    /// <summary>Writers that are gone are remembered this long: their last samples may still wait.</summary>
    private const long RememberMs = 60_000;

    /// <summary>A GUID begins with the vendor of its DDS; this is CycloneDDS.</summary>
    private const ushort CycloneVendor = 0x0110;

    private readonly Dictionary<ulong, DdsWriter> _writers = [];
    private readonly RosGraph _graph = new();
    private DdsTopics? _topics;

    public string Name => "dds";

    public Task RunAsync(ISourceSink sink, CancellationToken cancellation) =>
        Task.Factory.StartNew(() => Run(sink, cancellation), cancellation, TaskCreationOptions.LongRunning, TaskScheduler.Default);

    private void Run(ISourceSink sink, CancellationToken cancellation)
    {
        Cdrtap.Load();
        var configuration = CycloneConfiguration.Compose(settings, Environment.GetEnvironmentVariable("CYCLONEDDS_URI"));
        var code = Cdrtap.Open((uint)settings.Domain, configuration, (ulong)settings.WaitingBytes, out var tap);
        if (code < 0)
            throw new SourceException($"DDS domain {settings.Domain} cannot be opened: {string.Join("; ", Cdrtap.Log().Append(Cdrtap.Error(code)))}");
        var samples = (Cdrtap.Sample*)NativeMemory.Alloc(BatchMax, (nuint)sizeof(Cdrtap.Sample));
        try
        {
            var definitions = new MessageDefinitions(
                MessageDefinitions.Folders(ros.Definitions, Environment.GetEnvironmentVariable("AMENT_PREFIX_PATH")), log);
            _topics = new DdsTopics(tap, definitions, ros.QosOverrides, sink, log);
            LogListening(settings.Domain);
            if (CycloneConfiguration.BufferWarning() is { } warning)
                LogBuffers(warning);
            using var stop = cancellation.Register(() => Cdrtap.Wake(tap));
            while (!cancellation.IsCancellationRequested)
                Step(tap, samples, sink);
        }
        finally
        {
            Cdrtap.Close(tap);
            NativeMemory.Free(samples);
        }
        cancellation.ThrowIfCancellationRequested();
    }

    private void Step(nint tap, Cdrtap.Sample* samples, ISourceSink sink)
    {
        var answer = Cdrtap.Take(tap, samples, BatchMax, _topics!.IsBusy ? 50 : WaitMs, GatherUs);
        if (answer < 0)
            throw new SourceException($"DDS gives no more samples: {Cdrtap.Error(answer)}");
        Deliver(samples, answer & ~Cdrtap.EndpointsFlag, sink);
        if ((answer & Cdrtap.EndpointsFlag) != 0)
            TakeEndpoints(tap);
        if (_topics.NextDue is { } due && Environment.TickCount64 >= due)
            _topics.Tend(reader => Drain(tap, reader, samples, sink));
        foreach (var line in Cdrtap.Log())
            LogDds(line);
    }

    /// <summary>Takes what still waits at a reader that is about to go.</summary>
    private void Drain(nint tap, int reader, Cdrtap.Sample* samples, ISourceSink sink)
    {
        int count;
        while ((count = Cdrtap.TakeFrom(tap, (uint)reader, samples, BatchMax)) > 0)
            Deliver(samples, count, sink);
    }

    private void Deliver(Cdrtap.Sample* samples, int count, ISourceSink sink)
    {
        try
        {
            for (var i = 0; i < count; i++)
                Deliver(in samples[i], sink);
        }
        finally
        {
            Cdrtap.Release(samples, (uint)count);
        }
    }

    private void Deliver(in Cdrtap.Sample sample, ISourceSink sink)
    {
        // A writer that departs leaves a sample without data.
        if (sample.State == Cdrtap.NoData || _topics!.OfReader(sample.Reader) is not { } topic)
            return;
        if (!_writers.TryGetValue(sample.Writer, out var writer))
            _writers.Add(sample.Writer, writer = new DdsWriter(sample.Writer));
        var missed = writer.Advance(sample.Sequence);
        if (missed < 0)
            return;
        if (_topics.HandleOf(topic, writer) is not { } handle)
        {
            if (topic.IsDiscovery && sample.State == Cdrtap.Data)
                LearnNodes(new ReadOnlySpan<byte>(sample.Bytes, (int)sample.Size));
            return;
        }
        if (sample.State == Cdrtap.NoMemory)
            missed++;
        if (missed > 0)
            sink.Lost(handle, missed);
        if (sample.State != Cdrtap.Data)
            return;
        var payload = WithoutPadding(new ReadOnlySpan<byte>(sample.Bytes, (int)sample.Size), topic);
        sink.Message(handle, new MessageTimes((ulong)sample.ReceivedNs, (ulong)sample.SourceNs, (uint)sample.Sequence), payload);
    }

    /// <summary>
    /// The wire carries multiples of four bytes. A writer that counts its padding in the encapsulation header made it part of the payload,
    /// which stays whole. ROS's middlewares do not: there the definition says where the message ends.
    /// </summary>
    private static ReadOnlySpan<byte> WithoutPadding(ReadOnlySpan<byte> payload, DdsTopic topic) =>
        topic.Extent is { } extent && (payload.Length & 3) == 0 && payload.Length > 4 && (payload[3] & 3) == 0
            ? payload[..extent.Measure(payload)]
            : payload;

    private void LearnNodes(ReadOnlySpan<byte> payload)
    {
        if (_graph.Apply(payload))
            _topics!.NodesChanged(_graph);
        else
            LogDiscoveryInfo(payload.Length);
    }

    private void TakeEndpoints(nint tap)
    {
        const int Most = 128;
        var endpoints = stackalloc Cdrtap.Endpoint[Most];
        var changed = new HashSet<DdsTopic>();
        int count;
        while ((count = Cdrtap.Endpoints(tap, endpoints, Most)) > 0)
        {
            for (var i = 0; i < count; i++)
            {
                if (Take(in endpoints[i]) is { } topic)
                    changed.Add(topic);
            }
            Cdrtap.ReturnEndpoints(tap);
        }
        foreach (var topic in changed)
            _topics!.WritersChanged(topic, _graph);
        ForgetGone();
    }

    /// <summary>Takes note of a writer; answers its topic when that is one to subscribe to.</summary>
    private DdsTopic? Take(in Cdrtap.Endpoint endpoint)
    {
        _writers.TryGetValue(endpoint.Handle, out var writer);
        if (endpoint.Alive == 0)
        {
            if (writer is not { GoneAt: 0 })
                return null;
            writer.GoneAt = Math.Max(1, Environment.TickCount64);
            _graph.ForgetWriter(writer.Guid);
            // Each participant has one writer of this kind, and it goes with it.
            if (writer.Topic is { IsDiscovery: true })
                _graph.ForgetParticipantOf(writer.Guid);
            writer.Topic?.Writers.Remove(writer);
            if (writer is { Topic: { } left, Place: >= 0 })
                left.Places[writer.Place] = false;
            return writer.Topic;
        }
        if (endpoint.Topic is null)
            return null;
        var ddsName = Cdrtap.Text(endpoint.Topic);
        var (name, kind) = RosNames.FromDds(ddsName);
        if (ddsName != RosNames.DiscoveryTopic && !ros.Rules.Admits(name, kind))
            return null;
        if (writer is null)
            _writers.Add(endpoint.Handle, writer = new DdsWriter(endpoint.Handle));
        Describe(writer, in endpoint);
        if (writer.Topic is null)
        {
            writer.Topic = _topics!.Of(ddsName, Cdrtap.Text(endpoint.Type), IsKeyed(writer.Guid), kind is RosTopicKind.Topic ? name : ddsName);
            writer.Topic.Writers.Add(writer);
        }
        return writer.Topic;
    }

    private static void Describe(DdsWriter writer, in Cdrtap.Endpoint endpoint)
    {
        fixed (byte* guid = endpoint.Guid)
            writer.Guid = BinaryPrimitives.ReadUInt128BigEndian(new ReadOnlySpan<byte>(guid, 16));
        // Others do not send their history; what CycloneDDS gives for them is the default of DDS.
        var tellsHistory = (ushort)(writer.Guid >> 112) == CycloneVendor;
        writer.Qos = new QosProfile(endpoint.Reliable != 0, endpoint.Durability > 0)
        {
            Depth = tellsHistory && endpoint.KeepAll == 0 ? endpoint.Depth : 0,
            KeepsAll = tellsHistory && endpoint.KeepAll != 0,
            DeadlineNs = endpoint.DeadlineNs,
            LifespanNs = endpoint.LifespanNs,
            IsManualByTopic = endpoint.Liveliness == 2,
            LeaseNs = endpoint.LeaseNs,
        };
        writer.IsExclusive = endpoint.Exclusive != 0;
        writer.UserData = new ReadOnlySpan<byte>(endpoint.UserData, (int)endpoint.UserDataSize).ToArray();
        writer.Partitions = Names(endpoint.Partitions).ToArray();
    }

    /// <summary>The last byte of an entity id says whether instances have keys: 2 for a writer with, 3 for one without.</summary>
    private static bool IsKeyed(UInt128 guid) => ((uint)guid & 0x3F) == 2;

    private static ReadOnlySpan<byte> Names(byte* ended)
    {
        var length = 0;
        while (ended[length] != 0)
            length += MemoryMarshal.CreateReadOnlySpanFromNullTerminated(ended + length).Length + 1;
        return new ReadOnlySpan<byte>(ended, length);
    }

    private void ForgetGone()
    {
        var before = Environment.TickCount64 - RememberMs;
        foreach (var (handle, writer) in _writers)
        {
            if (writer.GoneAt > 0 && writer.GoneAt < before)
                _writers.Remove(handle);
        }
    }

    [LoggerMessage(EventId = 611, Level = LogLevel.Information, Message = "Listening on DDS domain {Domain}")]
    private partial void LogListening(int domain);

    [LoggerMessage(EventId = 612, Level = LogLevel.Warning, Message = "{Warning}")]
    private partial void LogBuffers(string warning);

    [LoggerMessage(EventId = 613, Level = LogLevel.Warning, Message = "CycloneDDS: {Line}")]
    private partial void LogDds(string line);

    [LoggerMessage(EventId = 614, Level = LogLevel.Warning, Message = "A message of {Bytes} bytes on ros_discovery_info is not understood; its nodes stay unnamed")]
    private partial void LogDiscoveryInfo(int bytes);
}
